"""Projects as they were: from the log's own streams, the index of the past, and the present read models."""

"""Jobs without a queue's server."""

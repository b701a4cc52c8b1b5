"""Files of a project: one stream for each path."""

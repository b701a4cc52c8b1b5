"""The commit history of a project: one line, in the order in which commits were recorded."""

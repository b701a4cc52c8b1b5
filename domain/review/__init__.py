"""Reviews of a project's changes."""

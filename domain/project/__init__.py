"""Projects and their collaborators."""

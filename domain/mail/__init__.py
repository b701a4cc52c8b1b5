"""Which mail an account was sent by jobs."""

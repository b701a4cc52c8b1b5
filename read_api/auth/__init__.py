"""Who sends a request: passwords, one-time passwords, sessions and tokens."""

"""Authentication: passwords, one-time passwords, sessions and tokens."""

"""Which notifications an account has read."""

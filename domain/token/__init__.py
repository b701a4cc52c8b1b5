"""API tokens: what services sign in with."""

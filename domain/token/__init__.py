"""API tokens, which services sign in with."""

"""Sessions: families of refresh tokens, of which one is valid at a time."""

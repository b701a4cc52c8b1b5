"""Sessions: families of refresh tokens, of which one is good at a time."""

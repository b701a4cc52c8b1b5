"""Redis (or Valkey): a cache and a channel. What is in it may be lost at any time."""

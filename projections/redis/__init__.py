"""Redis (or Valkey): a cache and channels. What it holds may be lost at any time."""

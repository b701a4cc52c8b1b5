"""Child processes: how they end with their parent, and how the two exchange messages."""

"""Child processes (how they end with their parent, how the two exchange messages), and event loops."""

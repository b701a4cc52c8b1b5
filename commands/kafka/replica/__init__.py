"""The local replica of a partition, in SQLite."""

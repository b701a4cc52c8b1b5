"""The event log, the keys and the persistence module of the embedded profile, on SQLite."""

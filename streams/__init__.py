"""From the log to the read models: the in-process runner, dead letters, rebuilds."""

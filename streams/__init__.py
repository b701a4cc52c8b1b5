"""From the log to the read models: the in-process runner, dead letters, rebuilds, workers, public topics."""

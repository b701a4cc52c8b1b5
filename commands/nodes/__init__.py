"""Several nodes on one log: which one a command is sent to first, and how. Correctness never depends on it."""

"""Several nodes on one log: where a command is sent first, and how. Correctness never depends on it."""

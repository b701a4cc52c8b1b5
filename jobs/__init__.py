"""Work in the background: what may be queued, the port of the queue, and what follows the log into it."""

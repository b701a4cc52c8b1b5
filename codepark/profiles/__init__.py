"""The two profiles: what a process is made of, embedded or as a node of a cluster."""

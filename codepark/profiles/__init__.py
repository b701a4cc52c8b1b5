"""The two profiles: what each process is made of, embedded or as a node of a cluster."""

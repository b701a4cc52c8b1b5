"""The REST resources: one module each, reads and writes of a path together."""

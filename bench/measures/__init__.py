"""The measures: one module a kind, each a function of a running contestant or of a folder."""

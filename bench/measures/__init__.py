"""The measures: a module for each kind, with functions of a running contestant or of a folder."""

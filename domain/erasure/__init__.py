"""Erasures: read models remove the documents that hold a person's data."""

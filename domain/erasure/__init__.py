"""Erasures: removing the documents that read models made from a person's data."""

"""Quotas: admit the commands whose owners have room for what they add, refuse the others."""

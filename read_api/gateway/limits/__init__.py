"""Limits: how often and how many at once somebody may ask, by tier and by address."""

"""Measures of people's code, and suggestions for it."""

"""Builds of a project; their status only moves forward."""

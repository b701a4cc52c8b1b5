"""Announcements to everybody."""

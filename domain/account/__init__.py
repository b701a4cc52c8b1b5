"""Accounts, and the claims that keep e-mail addresses and names unique."""

"""The keys that access tokens are signed with, one generation after the other."""

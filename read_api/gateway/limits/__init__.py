"""Limits of the rate of requests and of the number of live connections, by tier and by address."""

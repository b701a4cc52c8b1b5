"""What can go wrong with the servers, by what to do about it.

ServerError          a server did what it should not: look at its log
  MissingError       it cannot run on this machine: install what the text names
"""


class ServerError(Exception):
    """A server did not start, did not answer, or ended before its time."""


class MissingError(ServerError):
    """A server cannot be had on this machine; the text says what is missing."""

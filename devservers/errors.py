"""What can go wrong with a server, by what to do about it.

ServerError          it did not start, did not answer, or ended too early: read its log
  MissingError       it cannot run on this machine: install what the message names
"""


class ServerError(Exception):
    """A server did not start, did not answer, or ended too early."""


class MissingError(ServerError):
    """A server cannot run on this machine; the message says what is missing."""

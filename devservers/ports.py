"""Loopback ports that servers listen on."""

import random
import socket
from collections.abc import Sequence
from itertools import cycle


class Ports:
    """Give the free ports of a range, one after the other: a port is given again only after all the others.

    The ranges that are used here lie below the ports that the kernel gives to outgoing connections, so that
    none of those takes a port between its choice and its use, or while its server starts again.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        """Begin anywhere in *ports*: two processes with the same range then choose different ones."""
        self._count = len(ports)
        start = random.randrange(self._count)  # noqa: S311 # not a secret
        self._ports = cycle((*ports[start:], *ports[:start]))

    def free_port(self) -> int:
        """Return a port that nobody listens on; raises OSError where there is none."""
        for _ in range(self._count):
            port = next(self._ports)
            if is_free(port):
                return port
        raise OSError("all ports of the range are taken")


def is_free(port: int | None) -> bool:
    """Return whether a server could listen on this loopback port."""
    if port is None:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


free_port = Ports(range(15_000, 32_000)).free_port
"""Return a free port for a development server or a benchmark."""

"""Which node is preferred for a partition: rendezvous hashing moves few partitions when a node comes or goes.

Thaler and Ravishankar, "Using name-based mappings to increase hit rates",
IEEE/ACM Transactions on Networking 6(1), 1998.
"""

import hashlib
from collections.abc import Iterable


def preferred(nodes: Iterable[str], partition: int) -> str | None:
    """Return the node with the highest weight for *partition*, None where there is none."""
    return max(nodes, key=lambda node: (_weight(node, partition), node), default=None)


def _weight(node: str, partition: int) -> bytes:
    return hashlib.blake2b(f"{partition}\0{node}".encode(), digest_size=8).digest()

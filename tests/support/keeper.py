"""Keep one server that a whole run shares: `python -m tests.support.keeper KIND FOLDER PARENT`.

It is `python -m devservers keep`, with limits of time that suit a busy machine.
"""

import sys
from pathlib import Path

from devservers.keeper import keep
from devservers.servers import Kafka, Mongo, ValkeyServer
from tests.support.time_scale import stretched

_READY_SECONDS = {kind: kind.ready_seconds for kind in (Kafka, Mongo, ValkeyServer)}


def stretch_starts() -> None:
    """Give the servers of this process as long to start as the machine needs now."""
    for kind, seconds in _READY_SECONDS.items():
        kind.ready_seconds = stretched(seconds)


if __name__ == "__main__":
    stretch_starts()
    keep(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))

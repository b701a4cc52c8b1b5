"""Keep one server that several test processes share; it ends when their parent does, however that ends."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

from devservers.errors import MissingError
from devservers.fleet import write_whole
from devservers.processes import Identity, wait_for
from devservers.servers import make

_LOOK_SECONDS = 0.3


def keep(kind: str, folder: Path, parent: int) -> None:
    """Run a server until the process *parent* has ended or SIGTERM arrives.

    The file `kept.json` in *folder* says how the start ended: it holds `address`, or `missing` or `error`
    with the reason.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    watched = Identity.of(parent)
    server = None
    try:
        server = make(kind, folder / "data", attached=True).start()
        _report(folder, address=server.address, pid=server.pid)
        wait_for(lambda: ended.is_set() or watched is None or not watched.alive(), float("inf"), pause=_pause)
    except MissingError as error:
        _report(folder, missing=str(error))
    except Exception as error:  # noqa: BLE001 # the process that waits for the file must learn of it
        _report(folder, error=f"{type(error).__name__}: {error}")
    finally:
        if server is not None:
            server.stop()


def _pause(_seconds: float) -> None:
    threading.Event().wait(_LOOK_SECONDS)


def _report(folder: Path, **facts: Any) -> None:
    write_whole(folder / "kept.json", json.dumps(facts))

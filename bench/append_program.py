"""A program that appends through the persistence module of the checkout on its path: FOLDER SIZE SECONDS.

It prints events a second. It imports nothing of the bench, so that any checkout can run it.
"""

import sys
from time import perf_counter
from uuid import uuid4

from eventsourcing.persistence import InfrastructureFactory, StoredEvent
from eventsourcing.utils import Environment

from codepark.interpreter import prepare_interpreter

_STATE = b"x" * 256  # the size that the neutral event-store benchmark uses
_WARM_CALLS = 20


def append_rate(folder: str, size: int, seconds: float) -> float:
    """Return events appended a second, each call a new stream and a durable transaction."""
    settings = {
        "PERSISTENCE_MODULE": "commands.sqlite.factory",
        "SQLITE_DBNAME": f"{folder}/{uuid4().hex}.db",
        "ORIGINATOR_ID_TYPE": "text",
    }
    factory = InfrastructureFactory.construct(Environment(env=settings))
    try:
        recorder, calls = factory.application_recorder(), 0
        for _ in range(_WARM_CALLS):
            recorder.insert_events(_events(size))
        began = perf_counter()
        while perf_counter() - began < seconds:
            recorder.insert_events(_events(size))
            calls += 1
        return calls * size / (perf_counter() - began)
    finally:
        factory.close()


def _events(size: int) -> list[StoredEvent]:
    stream = str(uuid4())
    return [StoredEvent(stream, version, "event", _STATE) for version in range(1, size + 1)]


if __name__ == "__main__":
    prepare_interpreter()
    print(append_rate(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))

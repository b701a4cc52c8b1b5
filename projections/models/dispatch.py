"""From a table of functions to a read model."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from domain.event import Event
from domain.record import Record
from projections.model import Collection, ReadModel
from projections.writes import Write

Handlers = Mapping[type[Event], Callable[[Any, Record], Iterable[Write]]]
"""What a read model makes of each type of event that concerns it."""


def read_model(
    name: str,
    handlers: Handlers,
    *collections: Collection,
    version: int = 1,
    answers_commands: bool = False,
) -> ReadModel:
    """Return the read model that *handlers* fill; other events do nothing."""

    def project(event: Event, record: Record) -> Iterable[Write]:
        handle = handlers.get(type(event))
        return () if handle is None else handle(event, record)

    return ReadModel(
        name=name,
        version=version,
        answers_commands=answers_commands,
        collections=collections,
        project=project,
        topics=frozenset(cls.TOPIC for cls in handlers),
    )

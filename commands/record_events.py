"""Reading the events of records."""

from commands.mapper import EventMapper
from domain.event import Event
from domain.record import Record


class RecordEvents:
    """Reads the events that records carry, as a log does."""

    def __init__(self, mapper: EventMapper) -> None:
        """Read with *mapper*, which knows the keys."""
        self._mapper = mapper

    def event(self, record: Record) -> Event:
        """Read the event that *record* carries, at its latest version; raises what the mapper raises."""
        return self._mapper.event(record.topic, record.schema, record.data)

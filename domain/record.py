"""One event with everything that the log stores with it."""

from msgspec import Struct


class Record(Struct, frozen=True, kw_only=True):
    """One event in the log.

    *data* is the event's JSON, uncompressed. *sequence* counts the partition's records from 1 without gaps;
    *version* counts the stream's events from 1. The event is number *commit_index* of the *commit_count*
    events of its command, from 1. *occurred_at* is in milliseconds since the epoch. *at* is the offset that
    the writer expected. *actor* is the principal whose rights counted; *operated_by* the one that acted for
    it, None where nobody did. *fingerprint* identifies the body of the command; only the command's first
    record carries it.
    """

    source: str
    home: str
    stream: str
    version: int
    topic: str
    schema: int
    data: bytes
    sequence: int
    at: int
    command: str
    commit_index: int
    commit_count: int
    occurred_at: int
    actor: str
    correlation: str
    causation: str | None
    traceparent: str | None
    fingerprint: str | None
    operated_by: str | None = None
    chain: bytes = b""

    @property
    def id(self) -> str:
        """Return the CloudEvents id: the command's id and the event's number in it."""
        return f"{self.command}/{self.commit_index}"

"""One event with everything that the log knows of it."""

from msgspec import Struct


class Record(Struct, frozen=True, kw_only=True):
    """One event in the log.

    *data* is the event's JSON, uncompressed. *sequence* counts the partition's records from 1 without gap;
    *version* counts the stream's events from 1. *commit_index* of *commit_count* places the event in its command,
    from 1. *occurred_at* is in milliseconds since the epoch. *at* is the offset that the writer expected.
    *fingerprint* identifies the body of the command; the command's first record alone carries it.
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
    chain: bytes = b""

    @property
    def id(self) -> str:
        """Return the CloudEvents id: the command and the event's place in it."""
        return f"{self.command}/{self.commit_index}"

"""A log's records as the messages of a partition."""

from collections.abc import Sequence

import pytest

from commands.chain import first_chain, link
from commands.kafka.protocol.chain_rule import opening_headers
from commands.kafka.protocol.message import Message
from commands.record_events import RecordEvents
from commands.record_headers import covered_and_headers
from domain.record import Record
from projections.models import READ_MODELS
from projections.sqlite.store import SQLiteDocumentStore
from streams.faust.partition_state import PartitionProjector
from tests.support.profile import Commands

LOG = "0190c0de-0000-7000-8000-000000000001"


def messages_of(records: Sequence[Record], *, log_id: str = LOG) -> list[Message]:
    """Return the opening message and those of *records*, chained."""
    chain = first_chain(log_id, 0, 1)
    found = [Message(0, None, None, opening_headers(log_id, 0, 1))]
    for record in records:
        covered, headers = covered_and_headers(record)
        chain = link(chain, covered)
        found.append(Message(len(found), record.home.encode(), record.data, [*headers, ("chain", chain)]))
    return found


class MemoryTransport:
    """A partition in memory; `away` makes it silent."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = list(messages)
        self.reads: list[int] = []
        self.away = False

    async def fetch(self, offset: int, *, wait: bool) -> tuple[list[Message], int]:
        from commands.kafka.protocol.transport import BrokerUnavailableError, TruncatedError

        if self.away:
            raise BrokerUnavailableError("away")
        if offset > len(self.messages):
            raise TruncatedError(str(offset))
        self.reads.append(offset)
        found = [message for message in self.messages if message.offset >= offset]
        return found, max((message.offset + 1 for message in found), default=offset)

    async def end(self) -> int:
        return self.messages[-1].offset + 1

    async def close(self) -> None:
        pass


@pytest.fixture
def store() -> SQLiteDocumentStore:
    made = SQLiteDocumentStore(None)
    made.prepare(READ_MODELS)
    return made


@pytest.fixture
def history(commands: Commands) -> list[Message]:
    """Ten projects, one of them renamed."""
    ids = [commands.project(f"p{number}") for number in range(10)]
    commands.do("project.update", target=ids[0], name="renamed")
    return messages_of(commands.log.read(0, 1_000))


@pytest.fixture
def projector(commands: Commands, store: SQLiteDocumentStore) -> PartitionProjector:
    made = PartitionProjector(0, READ_MODELS, store, RecordEvents(commands.mapper))
    made.load()
    return made

"""Given events, what a read model's documents are."""

import pytest

from domain.record import Record
from projections.fold import NOTHING, fold

TIME = 1_700_000_000_123
AT = "2023-11-14T22:13:20.123Z"


class Documents:
    """Feed events to a model; every event is the next of its stream."""

    def __init__(self, model):
        self.model = model
        self.sequence = 0
        self.stored = {}

    def given(self, *events, actor="owner"):
        for event in events:
            self.sequence += 1
            for write in self.model.project(event, self.record(event, actor)):
                key = write.collection, write.id
                self.stored[key] = fold(self.stored.get(key, NOTHING), [(self.sequence, write)])
        return self

    def record(self, event, actor):
        return Record(
            source="s",
            home="h",
            stream="stream",
            version=self.sequence,
            topic=event.TOPIC,
            schema=1,
            data=b"",
            sequence=self.sequence,
            at=self.sequence - 1,
            command=f"c{self.sequence}",
            commit_index=1,
            commit_count=1,
            occurred_at=TIME,
            actor=actor,
            correlation="c",
            causation=None,
            traceparent=None,
            fingerprint=None,
        )

    def __getitem__(self, collection):
        return {
            id_: s.document for (name, id_), s in self.stored.items() if name == collection and s.document
        }


@pytest.fixture
def documents():
    return Documents

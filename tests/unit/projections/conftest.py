"""Given events, what a read model's documents are."""

import pytest

from projections.fold import NOTHING, fold
from tests.support.records import a_record


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
        return a_record(
            version=self.sequence,
            topic=event.TOPIC,
            sequence=self.sequence,
            at=self.sequence - 1,
            command=f"c{self.sequence}",
            actor=actor,
        )

    def __getitem__(self, collection):
        return {
            id_: s.document for (name, id_), s in self.stored.items() if name == collection and s.document
        }


@pytest.fixture
def documents():
    return Documents

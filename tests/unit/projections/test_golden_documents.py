"""What events of every type make of the documents, byte by byte, so that no document changes unnoticed."""

import json

import pytest

from domain.registry import EVENTS
from tests.unit.projections.golden_documents import GOLDEN, documents_after

EXPECTED = json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("cls", [cls for cls in EVENTS if cls.TOPIC in EXPECTED], ids=lambda cls: cls.TOPIC)
def test_documents_are_as_they_were(cls):
    documents = [json.dumps(document) for document in documents_after(cls)]
    assert documents == [json.dumps(document) for document in EXPECTED[cls.TOPIC]]

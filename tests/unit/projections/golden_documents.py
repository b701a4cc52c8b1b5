"""Write what every event makes of the documents: `python -m tests.unit.projections.golden_documents`.

The file is the reference of `test_golden_documents.py`. Write it again only for a new event, or for a new
version of a read model.
"""

import json
from collections import Counter
from pathlib import Path

from domain.event import Event
from domain.registry import EVENTS
from projections.fold import NOTHING, StoredDocument, fold
from projections.models import READ_MODELS
from tests.support.records import OCCURRED_AT, a_record
from tests.unit.projections.stream_kinds import BEGINNINGS, STREAM_KINDS, a_sample, kind_of

GOLDEN = Path(__file__).parent / "golden_documents.json"


def documents_after(cls: type[Event]) -> list[list[object]]:
    """Return collection, id and document (None: deleted) of all that an event of *cls* changes."""
    versions: Counter[str] = Counter()
    stored: dict[tuple[str, str], StoredDocument] = {}
    history = [*(first for first in BEGINNINGS if first is not cls), cls]
    for sequence, each in enumerate(history, start=1):
        event, name = a_sample(each), kind_of(each)
        stream = STREAM_KINDS[name].stream(event) if name else "unknown"
        versions[stream] += 1
        record = a_record(
            stream=stream,
            version=versions[stream],
            sequence=sequence,
            topic=each.TOPIC,
            command=f"c{sequence}",
            occurred_at=OCCURRED_AT + sequence,
        )
        for model in READ_MODELS:
            for write in model.project(event, record):
                key = write.collection, write.id
                stored[key] = fold(stored.get(key, NOTHING), [(sequence, write)])
    return [
        [collection, id_, document]
        for (collection, id_), (position, document) in sorted(stored.items())
        if position == len(history)
    ]


def golden_text() -> str:
    """Return the text of the file: a line for each document, with its fields in stored order."""
    topics = []
    for cls in EVENTS:
        lines = [f"  {json.dumps(document, ensure_ascii=False)}" for document in documents_after(cls)]
        documents = ",\n".join(lines)
        topics.append(f' "{cls.TOPIC}": [\n{documents}\n ]' if lines else f' "{cls.TOPIC}": []')
    return "{\n" + ",\n".join(topics) + "\n}\n"


if __name__ == "__main__":
    GOLDEN.write_text(golden_text())

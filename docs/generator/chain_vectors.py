"""Records with their chain, for programs that verify the chain themselves."""

import json
from collections.abc import Iterator

from commands.chain import CHAIN_SIZE, chain_after, first_chain, source_of
from commands.record_headers import chain_bytes, headers
from domain.record import Record

_LOG_ID = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"


def chain_vectors() -> str:
    """Return records, the bytes that the chain covers, and the chain after each of them."""
    first = chain = first_chain(_LOG_ID, 0, 1)
    records = []
    for record in _records(source_of(_LOG_ID)):
        covered, chain = chain_bytes(record), chain_after(chain, record)
        records.append(
            {
                "key": record.home,
                "value": record.data.decode(),
                "headers": {name: value.decode() for name, value in headers(record)},
                "covered": covered.hex(),
                "chain": chain.hex(),
            }
        )
    document = {
        "logId": _LOG_ID,
        "partition": 0,
        "partitions": 1,
        "chainSize": CHAIN_SIZE,
        "first": first.hex(),
        "records": records,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _records(source: str) -> Iterator[Record]:
    """Yield a short history: with and without the optional headers, and text beyond ASCII.

    In the last record, somebody acts for the actor.
    """
    project, command = "0190a1b2-0000-7000-8000-000000000001", "0190a1b2-0000-7000-8000-00000000000{}"
    texts = (
        ("project.created", "project-" + project, 1, '{"name":"Café 公園"}', "f" * 32, None),
        ("file.written", "file-" + project, 1, '{"path":"a.py","content":"print(1)\\n"}', None, "c/1"),
        ("file.deleted", "file-" + project, 2, '{"path":"a.py"}', None, None),
        ("project.deleted", "project-" + project, 2, "{}", "e" * 32, None),
    )
    for number, (topic, stream, version, data, fingerprint, causation) in enumerate(texts, 1):
        yield Record(
            source=source,
            home=project,
            stream=stream,
            version=version,
            topic=topic,
            schema=1,
            data=data.encode(),
            sequence=number,
            at=number - 1,
            command=command.format(number),
            commit_index=1,
            commit_count=1,
            occurred_at=1_700_000_000_000 + number,
            actor="0190a1b2-0000-7000-8000-00000000000a" if number == len(texts) else "service:cli",
            operated_by="service:cli" if number == len(texts) else None,
            correlation=f"request-{number}",
            causation=causation,
            fingerprint=fingerprint,
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" if number == 1 else None,
        )

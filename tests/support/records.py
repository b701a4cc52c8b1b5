"""Records of the log for tests that need no log."""

from typing import Any

from domain.record import Record

OCCURRED_AT = 1_700_000_000_123
OCCURRED_AT_TEXT = "2023-11-14T22:13:20.123Z"


def a_record(**changes: Any) -> Record:
    """Return a record with plausible values in every field that *changes* does not name."""
    fields = {
        "source": "urn:codepark:log:x",
        "home": "h",
        "stream": "project-1",
        "version": 1,
        "topic": "project.created",
        "schema": 1,
        "data": b"{}",
        "sequence": 1,
        "at": 0,
        "command": "c",
        "commit_index": 1,
        "commit_count": 1,
        "occurred_at": OCCURRED_AT,
        "actor": "owner",
        "correlation": "c",
        "causation": None,
        "traceparent": None,
        "fingerprint": None,
    }
    return Record(**{**fields, **changes})

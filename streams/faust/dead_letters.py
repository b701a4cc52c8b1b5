"""Messages of the dead-letter topic: the original, and beside it which model could not take it and why."""

from typing import NamedTuple

from commands.kafka.protocol.message import Message
from projections.store import DeadLetter

MODEL, REASON, SEQUENCE, PARTITION, OFFSET = (
    "dead-letter-model",
    "dead-letter-reason",
    "dead-letter-sequence",
    "dead-letter-partition",
    "dead-letter-offset",
)
_WAITS = "waits behind an earlier dead letter of its stream"
CONFIG = {"cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": str(17 * 1024 * 1024)}
"""Room for a message of the log and the headers that are added to it."""


class LetterMessage(NamedTuple):
    """A message to send to the dead-letter topic."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def dead_letter_topic(prefix: str) -> str:
    """Return the name of the topic."""
    return f"{prefix}dead-letters"


def letter_message(letter: DeadLetter, original: Message, partition: int) -> LetterMessage:
    """Return the message that tells of *letter*: the original's key, value and headers, and the reason."""
    return LetterMessage(
        original.key,
        original.value,
        [
            *((name, value or b"") for name, value in original.headers),
            (MODEL, letter.model.encode()),
            (REASON, (letter.reason or _WAITS).encode()),
            (SEQUENCE, b"%d" % letter.sequence),
            (PARTITION, b"%d" % partition),
            (OFFSET, b"%d" % original.offset),
        ],
    )

"""Messages of the dead-letter topic: the original, the model that could not take it, and the reason."""

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
"""The topic's settings: room for a message of the log with the headers that are added to it."""


class DeadLetterMessage(NamedTuple):
    """A message for the dead-letter topic."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def dead_letter_topic(prefix: str) -> str:
    """Return the name of the topic in an installation whose names begin with *prefix*."""
    return f"{prefix}dead-letters"


def dead_letter_message(letter: DeadLetter, original: Message, partition: int) -> DeadLetterMessage:
    """Return the message about *letter*: key, value and headers of the original, and the reason."""
    return DeadLetterMessage(
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

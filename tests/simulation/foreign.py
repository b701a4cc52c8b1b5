"""What other programs, which do not know the log's rules, may write to its partition."""

from collections.abc import Sequence
from random import Random

from commands.kafka.protocol.message import Message


def garbage(random: Random, log: Sequence[Message | None]) -> Message:
    """Return a message that is none of ours, or a copy of a message of the log."""
    copies = [message for message in log if message is not None]
    kinds = [
        Message(0, None, None, []),
        Message(0, b"key", b"value", [("chain", bytes(31))]),
        Message(0, b"key", b"value", [("chain", bytes(32)), ("chain", bytes(32))]),
        Message(0, b"key", b"value", [("chain", random.randbytes(32)), ("sequence", b"x")]),
        Message(0, b"key", None, [("ce_type", b"log.opened"), ("chain", bytes(32))]),
    ]
    if copies:
        kinds += [random.choice(copies)] * 2
    return random.choice(kinds)


def forged(offset: int) -> Message:
    """Return a record that lies at its expected offset, and does not extend the chain."""
    return Message(0, b"key", b"{}", [("at", b"%d" % offset), ("chain", bytes(32))])

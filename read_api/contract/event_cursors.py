"""Cursors of lists of events with the newest first; the oldest first, a position is the cursor."""

import base64
import binascii
import hashlib
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from commands.partitions import Logs
from commands.position import Position
from domain.errors import InvalidError
from read_api.contract.event_filter import EventFilter

_MARK = b"\xc1"
"""The byte that MessagePack never writes, so that no position token looks like a cursor."""

_CHECK_BYTES = 6
_Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_decoder = msgspec.msgpack.Decoder(dict[_Number, _Number])


def list_identity(wanted: EventFilter, scope: str) -> str:
    """Return the name of a list of events: its filter and its *scope*, such as a project, decide it."""
    names = [
        sorted(each) if isinstance(each, frozenset) else each for each in msgspec.structs.astuple(wanted)
    ]
    return hashlib.blake2b(msgspec.msgpack.encode((names, scope)), digest_size=8).hexdigest()


def encode(list_id: str, before: dict[int, int]) -> str:
    """Write that a list continues with the records below the sequences *before*, by partition."""
    place = msgspec.msgpack.encode(before)
    return base64.urlsafe_b64encode(_MARK + _check(list_id, place) + place).rstrip(b"=").decode()


def decode(list_id: str, cursor: str) -> dict[int, int] | None:
    """Read a cursor, None where it is none but may be a position; raises InvalidError for another list's."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if not raw.startswith(_MARK):
        return None
    check, place = raw[1 : 1 + _CHECK_BYTES], raw[1 + _CHECK_BYTES :]
    try:
        before = _decoder.decode(place)
    except msgspec.MsgspecError:
        before = None
    if before is None or check != _check(list_id, place):
        message = "this is no cursor of this list: use the nextCursor of a page with the same filters"
        raise InvalidError(message, code="invalid_cursor", pointer="/cursor")
    return before


def before_position(logs: Logs[Any], position: Position) -> dict[int, int]:
    """Return the sequences below which the events before the last one of *position* are.

    The position of an event may name its partition alone; those of the others that came before it are those
    that precede it in the merged order.
    """
    before = dict(position.sequences)
    if not before:
        return {}
    last = (
        max(
            (logs[number].read(sequence - 1, 1)[0].occurred_at, number)
            for number, sequence in before.items()
            if sequence > 0
        )
        if any(before.values())
        else None
    )
    for log in logs:
        if log.number not in before and last is not None:
            time, number = last
            before[log.number] = log.sequence_at(time if log.number < number else time - 1) + 1
    return before


def _check(list_id: str, place: bytes) -> bytes:
    return hashlib.blake2b(list_id.encode() + place, digest_size=_CHECK_BYTES).digest()

"""Position tokens: how much of the log a client has seen."""

import base64
import binascii
from collections.abc import Iterable

import msgspec

_PREFIX = 4
_TOO_LARGE = 2**63
"""No store can compare with integers from here on."""


class PositionError(ValueError):
    """The token was not issued by this log."""


class Position(msgspec.Struct, frozen=True, order=True):
    """How much of the log a client has seen: of each partition the last record's sequence and chain.

    The first bytes of the chain are enough to notice a token of another log.
    """

    partitions: dict[int, tuple[int, bytes]] = {}

    @classmethod
    def at(cls, sequence: int, chain: bytes, partition: int = 0) -> "Position":
        """Return the position after one record."""
        return cls({partition: (sequence, chain[:_PREFIX])})

    @property
    def sequences(self) -> dict[int, int]:
        """Return the sequence of each partition that is named."""
        return {partition: sequence for partition, (sequence, _) in self.partitions.items()}

    def join(self, other: "Position") -> "Position":
        """Return the later of the two positions in each partition."""
        joined = dict(self.partitions)
        for partition, last in other.partitions.items():
            if last[0] >= joined.get(partition, last)[0]:
                joined[partition] = last
        return Position(joined)

    def moved(self, other: "Position") -> "Position":
        """Return this position with the partitions of *other* replaced, whether they are later or earlier."""
        return Position({**self.partitions, **other.partitions})

    def sequence(self, partition: int = 0) -> int:
        """Return the sequence of the last record seen in *partition*; 0 is before the first record."""
        last = self.partitions.get(partition)
        return last[0] if last else 0

    def matches(self, chain: bytes, partition: int = 0) -> bool:
        """Return whether the last record seen in *partition* has this *chain*, or none was seen."""
        last = self.partitions.get(partition)
        return last is None or chain.startswith(last[1])

    def token(self) -> str:
        """Write the position as the opaque text that clients carry."""
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(self.partitions)).rstrip(b"=").decode()


START = Position({})


def position_after(records: Iterable[tuple[int, int, bytes]]) -> Position:
    """Return the position after *records*, each given by its partition, sequence and chain."""
    return Position({partition: (sequence, chain[:_PREFIX]) for partition, sequence, chain in records})


_decoder = msgspec.msgpack.Decoder(dict[int, tuple[int, bytes]])


def parse_position(token: str) -> Position:
    """Read a token; raises PositionError for any other text."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        partitions = _decoder.decode(raw)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise PositionError("not a position token: send the value of a CodePark-Position header") from error
    if any(
        key < 0 or not 0 <= sequence < _TOO_LARGE or len(chain) != _PREFIX
        for key, (sequence, chain) in partitions.items()
    ):
        raise PositionError("not a position token of this log: send the value of a CodePark-Position header")
    return Position(partitions)

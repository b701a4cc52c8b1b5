"""Position tokens: how far in the log a client has seen."""

import base64
import binascii
from collections.abc import Iterable

import msgspec

_PREFIX = 4


class PositionError(ValueError):
    """A token that this log did not give out."""


class Position(msgspec.Struct, frozen=True, order=True):
    """How far somebody has seen: of each partition the sequence, and the first bytes of that record's chain."""

    partitions: dict[int, tuple[int, bytes]] = {}

    @classmethod
    def at(cls, sequence: int, chain: bytes, partition: int = 0) -> "Position":
        """Return the position behind one record."""
        return cls({partition: (sequence, chain[:_PREFIX])})

    @property
    def sequences(self) -> dict[int, int]:
        """Return the sequence of each partition that is named."""
        return {partition: sequence for partition, (sequence, _) in self.partitions.items()}

    def join(self, other: "Position") -> "Position":
        """Return how far the two have seen together: of each partition the later place."""
        joined = dict(self.partitions)
        for partition, place in other.partitions.items():
            if place[0] >= joined.get(partition, place)[0]:
                joined[partition] = place
        return Position(joined)

    def moved(self, other: "Position") -> "Position":
        """Return this position with the partitions of *other* as they are there, further or not."""
        return Position({**self.partitions, **other.partitions})

    def sequence(self, partition: int = 0) -> int:
        """Return how far this position is in *partition*; 0 is before the first record."""
        found = self.partitions.get(partition)
        return found[0] if found else 0

    def matches(self, chain: bytes, partition: int = 0) -> bool:
        """Tell whether this position is behind a record with *chain*."""
        found = self.partitions.get(partition)
        return found is None or chain.startswith(found[1])

    def token(self) -> str:
        """Write the position as the opaque text that clients carry."""
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(self.partitions)).rstrip(b"=").decode()


START = Position({})


def behind(places: Iterable[tuple[int, int, bytes]]) -> Position:
    """Return the position behind records, each given by its partition, sequence and chain."""
    return Position({partition: (sequence, chain[:_PREFIX]) for partition, sequence, chain in places})


_decoder = msgspec.msgpack.Decoder(dict[int, tuple[int, bytes]])


def parse_position(token: str) -> Position:
    """Read a token; raise PositionError where it is none."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        partitions = _decoder.decode(raw)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise PositionError(
            "not a position token: use one that a CodePark-Position header carried"
        ) from error
    if any(key < 0 or sequence < 0 or len(chain) != _PREFIX for key, (sequence, chain) in partitions.items()):
        raise PositionError("not a position token of this log")
    return Position(partitions)

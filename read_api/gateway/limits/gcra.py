"""The generic cell rate algorithm (GCRA): one number says how full a bucket of requests is.

A bucket holds up to *burst* requests and gains one each `interval`. Its backlog is the time in microseconds
until it is full again: a request adds one interval, and time that passes reduces it. A request that would
raise the backlog above `capacity` is refused, and changes nothing. So at most burst + rate * t requests pass
in any time t.
"""

from msgspec import Struct

_MINUTE = 60_000_000


class Limit(Struct, frozen=True):
    """The size of a bucket: *burst* requests at once, *per_minute* on average; *name* names the policy."""

    name: str
    per_minute: int
    burst: int

    @property
    def interval(self) -> int:
        """Return the microseconds in which a bucket gains one request, rounded up: never too many pass."""
        return -(-_MINUTE // self.per_minute)

    @property
    def capacity(self) -> int:
        """Return the backlog of an empty bucket, in microseconds."""
        return self.burst * self.interval

    def stricter(self) -> "Limit":
        """Return half of this limit, for a process that counts for itself."""
        return Limit(self.name, max(self.per_minute // 2, 1), max(self.burst // 2, 1))


class Bucket(Struct, frozen=True):
    """The bucket of *key*, and its size."""

    key: str
    limit: Limit


class Decision(Struct, frozen=True):
    """The outcome for a request: allowed where *wait* is 0, else refused for another *wait* microseconds.

    *backlogs* are those of the buckets afterwards, and *limits* the limits applied, both in the order of the
    buckets.
    """

    wait: int
    backlogs: tuple[int, ...]
    limits: tuple[Limit, ...]

    @property
    def allowed(self) -> bool:
        """Return whether the request is allowed."""
        return self.wait == 0


def wait_for(backlog: int, limit: Limit) -> int:
    """Return the microseconds until a bucket with this backlog allows a request, 0 where it does now."""
    return max(backlog + limit.interval - limit.capacity, 0)


def remaining(backlog: int, limit: Limit) -> int:
    """Return how many requests the bucket allows at once."""
    return max(limit.capacity - backlog, 0) // limit.interval


def seconds(microseconds: int) -> int:
    """Return whole seconds, rounded up, so that a client which waits that long waits long enough."""
    return -(-microseconds // 1_000_000)

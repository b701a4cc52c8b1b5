"""The generic cell rate algorithm: a bucket is one number, how far it is behind of being full again.

A bucket of *burst* requests fills with one request each `interval`. Its backlog (microseconds) is how long it takes
until it is full: a request adds one interval, time takes it away, and none is let through that would bring it over
`capacity`. So never more than burst + rate * t pass in any time t, and a refused request changes nothing.
"""

from msgspec import Struct

_MINUTE = 60_000_000


class Limit(Struct, frozen=True):
    """A bucket's size: up to *burst* requests at once, *per_minute* in the long run; *name* is that of the policy."""

    name: str
    per_minute: int
    burst: int

    @property
    def interval(self) -> int:
        """Return the microseconds in which one request comes back; rounded up, so that never too many pass."""
        return -(-_MINUTE // self.per_minute)

    @property
    def capacity(self) -> int:
        """Return the backlog of an empty bucket, in microseconds."""
        return self.burst * self.interval

    def stricter(self) -> "Limit":
        """Return half of this limit, for a process that counts alone."""
        return Limit(self.name, max(self.per_minute // 2, 1), max(self.burst // 2, 1))


class Bucket(Struct, frozen=True):
    """Whose bucket (*key*) and how large it is."""

    key: str
    limit: Limit


class Decision(Struct, frozen=True):
    """Whether a request is let through: *wait* microseconds are left until it would be, 0 where it is now.

    *backlogs* are those of its buckets afterwards, *limits* what they were held to, both in the order of the question.
    """

    wait: int
    backlogs: tuple[int, ...]
    limits: tuple[Limit, ...]

    @property
    def allowed(self) -> bool:
        """Tell whether the request is let through."""
        return self.wait == 0


def wait_for(backlog: int, limit: Limit) -> int:
    """Return how many microseconds a request must wait for a bucket with this backlog."""
    return max(backlog + limit.interval - limit.capacity, 0)


def remaining(backlog: int, limit: Limit) -> int:
    """Return how many requests may be sent at once."""
    return max(limit.capacity - backlog, 0) // limit.interval


def seconds(microseconds: int) -> int:
    """Return whole seconds, rounded up: who waits that long has waited long enough."""
    return -(-microseconds // 1_000_000)

"""The generic cell rate algorithm (GCRA): one number says how full a bucket of requests is.

A bucket holds up to *burst* requests and gains one each `interval`. Its backlog is the time in microseconds
until it is full again: a request adds one interval, and time that passes reduces it. A request that would
raise the backlog above `capacity` is refused, and changes nothing. So at most burst + rate * t requests pass
in any time t.

A request of several commands adds an interval for each. One with more commands than the bucket holds passes
when the bucket is full, and leaves a debt: a backlog above the capacity, which later requests wait for.
"""

from msgspec import Struct
from msgspec.structs import force_setattr

_SECOND = 1_000_000


class Limit(Struct, frozen=True):
    """The size of a bucket: *burst* at once, and so many *requests* in *seconds* on average.

    *name* names the policy. From these follow the *interval* in which a bucket gains one request, rounded up
    so that never too many pass, and the *capacity*, which is the backlog of an empty bucket; both in
    microseconds.
    """

    name: str
    requests: int
    burst: int
    seconds: int = 60
    interval: int = 0
    capacity: int = 0

    def __post_init__(self) -> None:
        """Compute once what every request asks for."""
        interval = -(-self.seconds * _SECOND // self.requests)
        force_setattr(self, "interval", interval)
        force_setattr(self, "capacity", self.burst * interval)

    def stricter(self) -> "Limit":
        """Return half of this limit, for a process that counts for itself."""
        return Limit(self.name, max(self.requests // 2, 1), max(self.burst // 2, 1), self.seconds)


class Bucket(Struct, frozen=True):
    """The bucket of *key*, its size, and how many requests are taken from it at once.

    Of these, *held* were taken before, by the same request.
    """

    key: str
    limit: Limit
    count: int = 1
    held: int = 0

    @property
    def needed(self) -> int:
        """Return how much room the backlog must leave below the capacity, in microseconds."""
        return min(self.count, self.limit.burst) * self.limit.interval

    @property
    def cost(self) -> int:
        """Return by how much the backlog grows, in microseconds."""
        return (self.count - self.held) * self.limit.interval

    def wait(self, backlog: int) -> int:
        """Return the microseconds until this passes at that *backlog*, 0 where it does now.

        What is held counts only towards the request that holds it: a later one takes it again.
        """
        room = self.limit.capacity - self.needed
        return 0 if backlog - self.held * self.limit.interval <= room else backlog - room


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


def remaining(backlog: int, limit: Limit) -> int:
    """Return how many requests the bucket allows at once."""
    return max(limit.capacity - backlog, 0) // limit.interval


def seconds(microseconds: int) -> int:
    """Return whole seconds, rounded up, so that a client which waits that long waits long enough."""
    return -(-microseconds // 1_000_000)

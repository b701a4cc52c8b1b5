"""The events of erasures."""

from domain.event import Event

_WITHHELD = "says nothing that the erasure of the account does not say"


class TracesErased(Event, topic="erasure.traces_erased", version=1, withheld=_WITHHELD):
    """Read models must remove what an erased *person* wrote under *home*; the lists hold document ids.

    The log's own copy became unreadable with the person's key; this event reaches, in order, the read models
    that hold a readable one. The *person* is an account or an author of commits. One with many traces has
    several events.
    """

    home: str
    person: str
    reviews: tuple[str, ...]
    comments: tuple[str, ...]
    decisions: tuple[str, ...]
    commits: tuple[str, ...]
    sessions: tuple[str, ...]
    tokens: tuple[str, ...]


class ErasureCompleted(Event, topic="erasure.completed", version=1, withheld=_WITHHELD):
    """No read model holds a trace of the account."""

    account_id: str


ErasureEvent = TracesErased | ErasureCompleted

"""What happens to what was made from a person's data."""

from domain.event import Event

_WITHHELD = "says nothing that the erasure of the account does not say"


class TracesErased(Event, topic="erasure.traces_erased", version=1, withheld=_WITHHELD):
    """Under one home key, what a person who was erased wrote is to be forgotten.

    The log's own copy went with the key; this tells, in the order of everything else, whoever keeps a readable one. The
    *person* is an account, or an author of commits. A person with many traces has several such events.
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
    """No trace of the account is left in any read model."""

    account_id: str


ErasureEvent = TracesErased | ErasureCompleted

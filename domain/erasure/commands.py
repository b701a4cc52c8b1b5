"""What may be asked about erasures; the server itself asks it."""

from domain.command import Command
from domain.policy import administrator


class EraseTraces(Command, tag="erasure.erase_traces", rule=administrator()):
    """Have forgotten under *home* what *person* wrote."""

    home: str
    person: str
    reviews: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()


class CompleteErasure(Command, tag="erasure.complete", rule=administrator()):
    """Tell that no trace of the account is left."""

    account_id: str


ErasureCommand = EraseTraces | CompleteErasure

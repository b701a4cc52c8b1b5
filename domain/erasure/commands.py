"""The commands of erasures, which only the server itself sends."""

from domain.command import Command
from domain.policy import administrator


class EraseTraces(Command, tag="erasure.erase_traces", rule=administrator()):
    """Record that read models must remove what *person* wrote under *home*."""

    home: str
    person: str
    reviews: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()


class CompleteErasure(Command, tag="erasure.complete", rule=administrator()):
    """Record that no read model holds a trace of the account."""

    account_id: str


ErasureCommand = EraseTraces | CompleteErasure

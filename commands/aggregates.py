"""How the state of each kind of stream is made from its events."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from rpds import HashTrieSet

from domain.account import decider as account
from domain.build import decider as build
from domain.commit import decider as commit
from domain.credentials import decider as credentials
from domain.erasure import decider as erasure
from domain.event import Event
from domain.file import decider as file
from domain.inbox import decider as inbox
from domain.project import decider as project
from domain.review import decider as review
from domain.session import decider as session
from domain.signing import decider as signing
from domain.suggestion import decider as suggestion
from domain.token import decider as token


class Kind(Struct, frozen=True, kw_only=True):
    """One kind of stream.

    *last_event_only* tells that the last event alone determines the state. *snapshots* tells whether states are kept
    beside the log; *shape* counts the shapes of the state, so that a snapshot of an older one is not read.
    """

    initial: Any
    evolve: Callable[[Any, Any], Any]
    last_event_only: bool = False
    snapshots: bool = False
    shape: int = 1


def _unchanged(state: None, event: Event) -> None:  # noqa: ARG001 # the signature of every evolve
    return state


KINDS: dict[str, Kind] = {
    "account": Kind(initial=account.INITIAL, evolve=account.evolve),
    "announcement": Kind(initial=None, evolve=_unchanged, last_event_only=True),
    "build": Kind(initial=build.INITIAL, evolve=build.evolve, snapshots=True),
    "claim": Kind(initial=account.UNCLAIMED, evolve=account.evolve_claim, last_event_only=True),
    "commands": Kind(initial=None, evolve=_unchanged, last_event_only=True),
    "commits": Kind(initial=commit.INITIAL, evolve=commit.evolve, snapshots=True),
    "credentials": Kind(initial=credentials.INITIAL, evolve=credentials.evolve),
    "erasure": Kind(initial=erasure.INITIAL, evolve=erasure.evolve, last_event_only=True),
    "file": Kind(initial=file.INITIAL, evolve=file.evolve, last_event_only=True),
    "inbox": Kind(initial=inbox.INITIAL, evolve=inbox.evolve, last_event_only=True),
    "project": Kind(initial=project.INITIAL, evolve=project.evolve, snapshots=True),
    "review": Kind(initial=review.INITIAL, evolve=review.evolve, snapshots=True),
    "session": Kind(initial=session.INITIAL, evolve=session.evolve, snapshots=True),
    "signing": Kind(initial=signing.INITIAL, evolve=signing.evolve),
    "suggestion": Kind(initial=suggestion.INITIAL, evolve=suggestion.evolve, last_event_only=True),
    "token": Kind(initial=token.INITIAL, evolve=token.evolve),
}


def kind_name(stream: str) -> str:
    """Return the kind of *stream*, which its name begins with."""
    return stream.partition("-")[0]


def encode_state(state: Any) -> bytes:
    """Write a state for a snapshot."""
    return msgspec.msgpack.encode(state, enc_hook=_encode_set)


def decode_state(data: bytes, kind: Kind) -> Any:
    """Read a snapshot's state; raises msgspec.ValidationError where it has another shape."""
    return msgspec.msgpack.decode(data, type=type(kind.initial), dec_hook=_decode_set)


def _encode_set(value: Any) -> list[Any]:
    if isinstance(value, HashTrieSet):
        return sorted(value)
    raise TypeError(f"a snapshot cannot hold a {type(value)}")


def _decode_set(kind: type, value: Any) -> Any:
    if getattr(kind, "__origin__", kind) is HashTrieSet:
        return HashTrieSet(value)
    raise TypeError(f"a snapshot cannot hold a {kind}")

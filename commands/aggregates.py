"""The kinds of streams: how the state of each is built from its events, and how a snapshot stores it."""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct
from rpds import HashTrieMap

from domain.account import decider as account
from domain.build import decider as build
from domain.commit import decider as commit
from domain.credentials import decider as credentials
from domain.erasure import decider as erasure
from domain.event import Event
from domain.file import decider as file
from domain.inbox import decider as inbox
from domain.preferences import decider as preferences
from domain.project import decider as project
from domain.review import decider as review
from domain.session import decider as session
from domain.signing import decider as signing
from domain.suggestion import decider as suggestion
from domain.token import decider as token

_DIGEST_SIZE = 4


class StreamKind(Struct, frozen=True, kw_only=True):
    """One kind of stream.

    *last_event_only* says that the last event alone determines the state, *snapshots* that states are stored
    next to the log. Snapshots of a state struct with other fields are not read; raise *revision* where the
    fields stay and mean something else.
    """

    initial: Any
    evolve: Callable[[Any, Any], Any]
    last_event_only: bool = False
    snapshots: bool = False
    revision: int = 1


def _unchanged(state: None, event: Event) -> None:  # noqa: ARG001 # the signature of every evolve
    return state


STREAM_KINDS: dict[str, StreamKind] = {
    "account": StreamKind(initial=account.INITIAL, evolve=account.evolve),
    "announcement": StreamKind(initial=None, evolve=_unchanged, last_event_only=True),
    "build": StreamKind(initial=build.INITIAL, evolve=build.evolve, snapshots=True),
    "claim": StreamKind(initial=account.UNCLAIMED, evolve=account.evolve_claim, last_event_only=True),
    "commands": StreamKind(initial=None, evolve=_unchanged, last_event_only=True),
    "commits": StreamKind(initial=commit.INITIAL, evolve=commit.evolve, snapshots=True),
    "credentials": StreamKind(initial=credentials.INITIAL, evolve=credentials.evolve),
    "erasure": StreamKind(initial=erasure.INITIAL, evolve=erasure.evolve, last_event_only=True),
    "feedback": StreamKind(initial=None, evolve=_unchanged, last_event_only=True),
    "file": StreamKind(initial=file.INITIAL, evolve=file.evolve, last_event_only=True),
    "inbox": StreamKind(initial=inbox.INITIAL, evolve=inbox.evolve, last_event_only=True),
    "mail": StreamKind(initial=None, evolve=_unchanged, last_event_only=True),
    "preferences": StreamKind(initial=preferences.INITIAL, evolve=preferences.evolve, last_event_only=True),
    "project": StreamKind(initial=project.INITIAL, evolve=project.evolve, snapshots=True),
    "review": StreamKind(initial=review.INITIAL, evolve=review.evolve, snapshots=True),
    "session": StreamKind(initial=session.INITIAL, evolve=session.evolve, snapshots=True),
    "signing": StreamKind(initial=signing.INITIAL, evolve=signing.evolve),
    "suggestion": StreamKind(initial=suggestion.INITIAL, evolve=suggestion.evolve, last_event_only=True),
    "token": StreamKind(initial=token.INITIAL, evolve=token.evolve),
}


def kind_name(stream: str) -> str:
    """Return the kind of *stream*, which its name begins with."""
    return stream.partition("-")[0]


def kind_of(stream: str) -> StreamKind:
    """Return how the state of *stream* is built; raises KeyError where no kind has its name."""
    return STREAM_KINDS[stream.partition("-")[0]]


def snapshot_topic(stream: str) -> str:
    """Return the name under which snapshots of *stream* are stored: its kind and a digest of the fields."""
    return _snapshot_topic(kind_name(stream))


@cache
def _snapshot_topic(name: str) -> str:
    kind = STREAM_KINDS[name]
    return f"{name}.state.v{state_digest(type(kind.initial), kind.revision)}"


def state_digest(state: type, revision: int) -> int:
    """Return a number that changes with the names and types of the fields of *state*, at any depth."""
    schema = msgspec.json.schema(state, schema_hook=_schema_of_map)
    encoded = msgspec.json.encode((_without_prose(schema), revision), order="deterministic")
    return int.from_bytes(hashlib.sha256(encoded).digest()[:_DIGEST_SIZE], "big")


def _without_prose(schema: Any) -> Any:
    """Return *schema* without docstrings: those may change, and snapshots stay readable."""
    if isinstance(schema, dict):
        return {
            key: _without_prose(value)
            for key, value in schema.items()
            if key != "description"
            or not isinstance(value, str)  # a field may have this name: then it is a schema
        }
    return [_without_prose(item) for item in schema] if isinstance(schema, list) else schema


def _schema_of_map(kind: type) -> dict[str, str]:
    return {"type": "array", "title": kind.__name__}


def encode_state(state: Any) -> bytes:
    """Write a state for a snapshot."""
    return msgspec.msgpack.encode(state, enc_hook=_encode_map)


def decode_state(data: bytes, kind: StreamKind) -> Any:
    """Read a snapshot's state; raises msgspec.ValidationError where its fields are others."""
    return msgspec.msgpack.decode(data, type=type(kind.initial), dec_hook=_decode_map)


def _encode_map(value: Any) -> list[Any]:
    if isinstance(value, HashTrieMap):
        return sorted(value.items())
    raise TypeError(f"a snapshot cannot hold a {type(value)}")


def _decode_map(kind: type, value: Any) -> Any:
    if getattr(kind, "__origin__", kind) is HashTrieMap:
        return HashTrieMap(dict(value))
    raise TypeError(f"a snapshot cannot hold a {kind}")

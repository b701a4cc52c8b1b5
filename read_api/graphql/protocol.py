"""The messages of `graphql-transport-ws`."""

from typing import Any

import msgspec
from msgspec import Struct

LARGEST = 256 * 1024
_LONGEST_ID = 128


class Close(Struct, frozen=True):
    """How a socket is closed."""

    code: int
    reason: str


class ProtocolError(Exception):
    """A client that does not keep to the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        """Close with *code*; a reason has at most 123 bytes."""
        super().__init__(reason)
        self.close = Close(code, reason.encode()[:123].decode(errors="ignore"))


class Message(Struct, frozen=True):
    """What a client says."""

    type: str
    id: Any = None
    payload: Any = None


class Subscribe(Struct, frozen=True, kw_only=True, rename="camel"):
    """An operation, as a `subscribe` message carries it."""

    query: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


def read_message(text: str) -> Message:
    """Read a message; raises ProtocolError."""
    if len(text) > LARGEST:
        raise ProtocolError(4400, f"a message may have up to {LARGEST} characters")
    try:
        return msgspec.json.decode(text, type=Message)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise ProtocolError(4400, "a message is a JSON object with a type") from error


def read_subscribe(message: Message) -> tuple[str, Subscribe]:
    """Read the id and the operation of a `subscribe` message; raises ProtocolError."""
    if not isinstance(message.id, str) or not 0 < len(message.id) <= _LONGEST_ID:
        raise ProtocolError(4400, f"subscribe has an id of 1 to {_LONGEST_ID} characters")
    try:
        return message.id, msgspec.convert(message.payload, Subscribe)
    except msgspec.ValidationError as error:
        raise ProtocolError(4400, f"the payload of subscribe: {error}") from error

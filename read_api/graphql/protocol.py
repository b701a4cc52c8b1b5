"""The messages of `graphql-transport-ws`."""

from typing import Any

import msgspec
from msgspec import Struct

from read_api.gateway.bodies import invalid
from read_api.graphql.requests import OperationPayload

MAX_CHARACTERS = 256 * 1024
_MAX_ID = 128


class Close(Struct, frozen=True):
    """How a socket is closed."""

    code: int
    reason: str


class ProtocolError(Exception):
    """A client that violates the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        """Close with *code*; a reason has at most 123 bytes."""
        super().__init__(reason)
        self.close = Close(code, reason.encode()[:123].decode(errors="ignore"))


class Message(Struct, frozen=True):
    """A message of a client."""

    type: str
    id: Any = None
    payload: Any = None


def read_message(text: str) -> Message:
    """Decode a message; raises ProtocolError."""
    if len(text) > MAX_CHARACTERS:
        raise ProtocolError(4400, f"a message may have up to {MAX_CHARACTERS} characters")
    try:
        return msgspec.json.decode(text, type=Message)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise ProtocolError(4400, "a message is a JSON object with a type") from error


def read_subscribe(message: Message) -> tuple[str, OperationPayload]:
    """Return the id and the operation of a `subscribe` message; raises ProtocolError."""
    if not isinstance(message.id, str) or not 0 < len(message.id) <= _MAX_ID:
        raise ProtocolError(4400, f"subscribe has an id of 1 to {_MAX_ID} characters")
    try:
        return message.id, msgspec.convert(message.payload, OperationPayload)
    except msgspec.ValidationError as error:
        detail = invalid(str(error), type_=OperationPayload).detail
        raise ProtocolError(4400, f"the payload of subscribe: {detail}") from error

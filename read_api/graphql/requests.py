"""An operation as a client sends it over any transport, with Apollo's extension for persisted queries."""

from typing import Any

from msgspec import Struct

from read_api.problems import BadInputError

_DIGITS = 64
_VERSION = 1


class GraphQLRequest(Struct, kw_only=True):
    """An operation to execute: its text, or the *digest* of a persisted one."""

    query: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] = {}
    digest: str | None = None


class OperationPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a POST, the payload of a `subscribe` message; unknown fields are ignored, as specified."""

    query: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None

    def request(self) -> GraphQLRequest:
        """Return the operation that the payload asks for; raises BadInputError."""
        return GraphQLRequest(
            query=self.query,
            operation_name=self.operation_name,
            variables=self.variables or {},
            digest=read_digest(self.extensions),
        )


def read_digest(extensions: Any) -> str | None:
    """Return the hash by which a request names its query; raises BadInputError."""
    persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    if persisted is None:
        return None
    digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(digest, str) or len(digest) != _DIGITS or persisted.get("version") != _VERSION:
        raise BadInputError(
            f"persistedQuery takes version {_VERSION} and a sha256Hash of {_DIGITS} hexadecimal digits",
            "/extensions/persistedQuery",
        )
    return digest.lower()

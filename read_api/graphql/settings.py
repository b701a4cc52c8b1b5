"""What an installation decides about its GraphQL surface."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from commands.environment import Environment, SettingsError, Variables

INTROSPECTION = "CODEPARK_GRAPHQL_INTROSPECTION"
TRUSTED = "CODEPARK_GRAPHQL_TRUSTED_DOCUMENTS"


class GraphQLSettings(Struct, frozen=True, kw_only=True):
    """*trusted* maps the SHA-256 of a document to it; where it is given, no other document runs."""

    introspection: bool = True
    trusted: Mapping[str, str] | None = None


def read_graphql_settings(variables: Variables) -> GraphQLSettings:
    """Read the settings; raises SettingsError."""
    environment = Environment(variables)
    file = environment.text(TRUSTED)
    return GraphQLSettings(
        introspection=environment.switch(INTROSPECTION),
        trusted=None if file is None else _trusted(Path(file)),
    )


def _trusted(file: Path) -> dict[str, str]:
    try:
        documents = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{TRUSTED} cannot be used: {error}") from error
    for digest, document in documents.items():
        if hashlib.sha256(document.encode()).hexdigest() != digest:
            raise SettingsError(f"{TRUSTED}: {digest!r} is not the SHA-256 of its document")
    return documents

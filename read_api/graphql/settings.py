"""What an installation decides about its GraphQL surface."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

INTROSPECTION = "CODEPARK_GRAPHQL_INTROSPECTION"
TRUSTED = "CODEPARK_GRAPHQL_TRUSTED_DOCUMENTS"
_SWITCH = {"on": True, "off": False}


class GraphQLSettingsError(Exception):
    """A setting that cannot be used."""


class GraphQLSettings(Struct, frozen=True, kw_only=True):
    """*trusted* are documents by their SHA-256: where they are given, nothing else runs."""

    introspection: bool = True
    trusted: Mapping[str, str] | None = None


def read_graphql_settings(environment: Mapping[str, str]) -> GraphQLSettings:
    """Read the settings; raises GraphQLSettingsError with a sentence that names the variable."""
    switch = environment.get(INTROSPECTION) or "on"
    if switch not in _SWITCH:
        raise GraphQLSettingsError(f"{INTROSPECTION} is {switch!r}; it takes on or off")
    file = environment.get(TRUSTED)
    return GraphQLSettings(introspection=_SWITCH[switch], trusted=_trusted(Path(file)) if file else None)


def _trusted(file: Path) -> dict[str, str]:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError) as error:
        raise GraphQLSettingsError(f"{TRUSTED} cannot be used: {error}") from error
    for digest, document in found.items():
        if hashlib.sha256(document.encode()).hexdigest() != digest:
            raise GraphQLSettingsError(f"{TRUSTED}: {digest!r} is not the SHA-256 of its document")
    return found

"""Entity tags and the conditions that requests put on them (RFC 9110, section 13)."""

import hashlib
import re

from read_api.gateway.problems import BadInputError, HttpError

_DIGITS = 15
_TAG = re.compile(r'^(W/)?"([\x21\x23-\x7e]*)"$')


def etag(version: int, body: bytes | None = None) -> str:
    """Return the entity tag of a version; with *body*, of a composed resource in this state."""
    if body is None:
        return f'"{version}"'
    return f'"{version}-{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def expected_version(if_match: str | None) -> int | None:
    """Return the version that `If-Match` asks for, None for no condition or `*`.

    Raises BadInputError on what is no entity tag, and HttpError 412 on one that can never match.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tag = _TAG.match(if_match.strip())
    if tag is None:
        raise BadInputError('If-Match takes one entity tag such as "3"', "If-Match")
    version = tag.group(2).partition("-")[0]
    if tag.group(1) or not version.isascii() or not version.isdecimal() or len(version) > _DIGITS:
        raise HttpError(412, "version_mismatch", "this entity tag is not the current one: load it again")
    return int(version)


def not_modified(if_none_match: str | None, tag: str) -> bool:
    """Tell whether the client has this state already; raises BadInputError on what are no entity tags."""
    if if_none_match is None:
        return False
    given = [part.strip() for part in if_none_match.split(",")]
    if given == ["*"]:
        return True
    if not all(_TAG.match(part) for part in given):
        raise BadInputError('If-None-Match takes entity tags such as "3", or *', "If-None-Match")
    return tag in (part.removeprefix("W/") for part in given)

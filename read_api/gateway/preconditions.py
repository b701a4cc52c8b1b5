"""Conditional requests, as RFC 9110 has them (sections 13.1 and 13.2).

Resources here have no modification date, so that `If-Modified-Since` and `If-Unmodified-Since` are ignored,
as sections 13.1.3 and 13.1.4 require.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from commands.precondition import Precondition
from domain.errors import PreconditionFailedError
from read_api.problems import BadInputError

_TAG = re.compile(r'[\t ,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[\t ]*(?=,|\Z)')
_REST = re.compile(r"[\t ,]*\Z")
_VERSION = re.compile("0|[1-9][0-9]{0,14}")


class EntityTag(NamedTuple):
    """An entity tag; a *weak* one is never equal to another for `If-Match`."""

    weak: bool
    opaque: str


def entity_tags(header: str, name: str) -> list[EntityTag] | None:
    """Return the tags that the header *name* lists, None for `*`; raises BadInputError."""
    if header.strip(" \t") == "*":
        return None
    tags, at = [], 0
    while match := _TAG.match(header, at):
        tags.append(EntityTag(weak=match[1] is not None, opaque=match[2]))
        at = match.end()
    if not tags or not _REST.match(header, at):
        raise BadInputError(f'{name} takes entity tags in quotation marks, such as "3", or *', name)
    return tags


def matches_current(header: str, current: str | None) -> bool:
    """Return whether `If-Match` names the version of the tag *current*; its digest does not count."""
    tags = entity_tags(header, "If-Match")
    if tags is None or current is None:
        return tags is None
    version = current.strip('"').partition("-")[0]
    return any(not tag.weak and tag.opaque.partition("-")[0] == version for tag in tags)


def not_modified(if_none_match: str | None, current: str | None) -> bool:
    """Return whether the client has the state of the tag *current*; raises BadInputError."""
    if if_none_match is None:
        return False
    tags = entity_tags(if_none_match, "If-None-Match")
    return tags is None or (current is not None and current[1:-1] in {tag.opaque for tag in tags})


def precondition(headers: Mapping[str, str], *, creates: bool) -> Precondition | None:
    """Return what the headers of a command require; raises BadInputError.

    `If-None-Match` counts where the request is about what its path names; with *creates* it is about
    something new.
    """
    if_match = headers.get("if-match")
    if_none_match = None if creates else headers.get("if-none-match")
    if if_match is None and if_none_match is None:
        return None
    exists: bool | None = None
    versions: tuple[int, ...] | None = None
    other_than: tuple[int, ...] = ()
    if if_match is not None:
        tags = entity_tags(if_match, "If-Match")
        exists = None if creates else True
        versions = None if tags is None else _versions(tag for tag in tags if not tag.weak)
    if if_none_match is not None:
        tags = entity_tags(if_none_match, "If-None-Match")
        if tags is None:
            exists = _absent(exists)
        else:
            other_than = _versions(tags)
    return Precondition(exists=exists, versions=versions, other_than=other_than)


def _absent(exists: bool | None) -> bool:
    """Return False: the resource must not exist; both headers with `*` hold for no state."""
    if exists:
        raise PreconditionFailedError(
            "If-Match requires that it exists, If-None-Match that it does not: leave one out"
        )
    return False


def _versions(tags: Iterable[EntityTag]) -> tuple[int, ...]:
    """Return the versions that *tags* stand for; a tag of another form is that of no version."""
    names = [tag.opaque.partition("-")[0] for tag in tags]
    return tuple(int(name) for name in names if _VERSION.fullmatch(name))

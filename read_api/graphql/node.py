"""Global ids: where an object has a UUID, that; where a project and a path or a sha name it, an opaque text."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable

import graphene

from projections.writes import Document
from read_api.graphql.context import Context

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Node(graphene.Interface):  # type: ignore[misc] # graphene has no types
    """An object that `node` finds by its id."""

    id = graphene.ID(required=True)


def global_id(kind: str, key: str) -> str:
    """Return the id of what *key* names among all of *kind*."""
    return base64.urlsafe_b64encode(f"{kind}:{key}".encode()).rstrip(b"=").decode()


def parse_global_id(id_: str) -> tuple[str | None, str]:
    """Return kind and key of a global id; a UUID names no kind. What is neither has the kind ``."""
    if _UUID.fullmatch(id_):
        return None, id_
    try:
        kind, _, key = base64.urlsafe_b64decode(id_ + "=" * (-len(id_) % 4)).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", id_
    return kind, key


async def _project(context: Context, key: str) -> Document | None:
    return await context.loaders.project(key)


async def _account(context: Context, key: str) -> Document | None:
    found = await context.loaders.account(key)
    return found if found is not None and "version" in found else None  # an erased one is there no more


async def _review(context: Context, key: str) -> Document | None:
    return await context.loaders.review(key)


async def _build(context: Context, key: str) -> Document | None:
    return await context.loaders.build(key)


async def _announcement(context: Context, key: str) -> Document | None:
    return await context.loaders.announcement(key)


async def _file(context: Context, key: str) -> Document | None:
    project_id, _, path = key.partition("/")
    found = await context.loaders.file(project_id, path)
    return None if found is None else {**found, "projectId": project_id}


async def _commit(context: Context, key: str) -> Document | None:
    project_id, _, sha = key.partition("/")
    found = await context.loaders.commit(project_id, sha)
    return None if found is None else {**found, "projectId": project_id}


FINDERS: dict[str, Callable[[Context, str], Awaitable[Document | None]]] = {
    "Project": _project,
    "Account": _account,
    "Review": _review,
    "Build": _build,
    "Announcement": _announcement,
    "File": _file,
    "Commit": _commit,
}
"""How to find each kind of object by its key."""

BY_UUID = ("Project", "Account", "Review", "Build", "Announcement")


async def find_node(context: Context, id_: str) -> Document | None:
    """Return the object with that id, marked with its type; None where none is there for who asks."""
    kind, key = parse_global_id(id_)
    for name in BY_UUID if kind is None else (kind,):
        found = await find_as(context, name, key)
        if found is not None:
            return found
    return None


async def find_as(context: Context, kind: str, key: str) -> Document | None:
    """Return the object of *kind* under *key*, marked with its type."""
    find = FINDERS.get(kind)
    found = None if find is None else await find(context, key)
    return None if found is None else {"__typename": kind, **found}

"""Global ids: the object's UUID, else an opaque text with its project and its path or sha."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable

import graphene

from projections.writes import Document
from read_api.graphql.context import Context

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Node(graphene.Interface):  # type: ignore[misc] # graphene has no types
    """An object that `node` returns for its id."""

    id = graphene.ID(required=True)


def global_id(type_name: str, key: str) -> str:
    """Return the global id of the object of that type under *key*."""
    return base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).rstrip(b"=").decode()


def parse_global_id(id_: str) -> tuple[str | None, str]:
    """Return the type and the key of a global id: a UUID has no type (None), any other text the type ``."""
    if _UUID.fullmatch(id_):
        return None, id_
    try:
        type_name, _, key = base64.urlsafe_b64decode(id_ + "=" * (-len(id_) % 4)).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", id_
    return type_name, key


async def _project(context: Context, key: str) -> Document | None:
    return await context.loaders.project(key)


async def _account(context: Context, key: str) -> Document | None:
    account = await context.loaders.account(key)
    return account if account is not None and "version" in account else None  # an erased one has no version


async def _review(context: Context, key: str) -> Document | None:
    return await context.loaders.review(key)


async def _build(context: Context, key: str) -> Document | None:
    return await context.loaders.build(key)


async def _announcement(context: Context, key: str) -> Document | None:
    return await context.loaders.announcement(key)


async def _file(context: Context, key: str) -> Document | None:
    project_id, _, path = key.partition("/")
    file = await context.loaders.file(project_id, path)
    return None if file is None else {**file, "projectId": project_id}


async def _commit(context: Context, key: str) -> Document | None:
    project_id, _, sha = key.partition("/")
    commit = await context.loaders.commit(project_id, sha)
    return None if commit is None else {**commit, "projectId": project_id}


FINDERS: dict[str, Callable[[Context, str], Awaitable[Document | None]]] = {
    "Project": _project,
    "Account": _account,
    "Review": _review,
    "Build": _build,
    "Announcement": _announcement,
    "File": _file,
    "Commit": _commit,
}
"""How an object of each type is loaded by its key."""

BY_UUID = ("Project", "Account", "Review", "Build", "Announcement")


async def find_node(context: Context, id_: str) -> Document | None:
    """Return the object with that id, marked with its type; None where the sender may see none."""
    named_type, key = parse_global_id(id_)
    for type_name in BY_UUID if named_type is None else (named_type,):
        document = await find_as(context, type_name, key)
        if document is not None:
            return document
    return None


async def find_as(context: Context, type_name: str, key: str) -> Document | None:
    """Return the object of that type under *key*, marked with its type."""
    find = FINDERS.get(type_name)
    document = None if find is None else await find(context, key)
    return None if document is None else {"__typename": type_name, **document}

"""A commit as it is stored: git accepts more than the git program writes."""

import re
from typing import Final, NamedTuple

from codepark.history_import.git.errors import DamagedObjectError

_OID: Final = re.compile(rb"[0-9a-f]+\Z")


class GitCommit(NamedTuple):
    """A commit's parts; *author* and *encoding* may be missing."""

    tree: bytes
    parents: tuple[bytes, ...]
    author: bytes
    encoding: bytes | None
    message: bytes


def parse_commit(data: bytes, oid_size: int) -> GitCommit:
    """Read a commit; raises DamagedObjectError where it names no tree."""
    head, _, message = data.partition(b"\n\n")
    if data.startswith(b"\n"):
        head, message = b"", data[1:]
    lines = head.split(b"\n")
    tree = _oid(lines[0], b"tree ", oid_size)
    if tree is None:
        raise DamagedObjectError("it names no tree")
    parents: list[bytes] = []
    at = 1
    while at < len(lines) and (parent := _oid(lines[at], b"parent ", oid_size)) is not None:
        parents.append(parent)
        at += 1
    author, encoding = _header(lines, b"author "), _header(lines, b"encoding ")
    return GitCommit(tree, tuple(parents), author or b"", encoding, message)


def _oid(line: bytes, name: bytes, oid_size: int) -> bytes | None:
    value = line.removeprefix(name)
    if not line.startswith(name) or len(value) != 2 * oid_size or _OID.match(value) is None:
        return None
    return bytes.fromhex(value.decode())


def _header(lines: list[bytes], name: bytes) -> bytes | None:
    """Return the value of the first header called *name*; further lines of a header begin with a blank."""
    return next((line.removeprefix(name) for line in lines if line.startswith(name)), None)

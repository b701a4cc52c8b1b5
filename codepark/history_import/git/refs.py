"""What names lead to: HEAD, replaced objects, and the parents that a repository gives its commits."""

import re
from collections.abc import Iterator
from typing import Final

from codepark.history_import.git.layout import Layout

_LINKS: Final = 10
_OID: Final = re.compile(r"[0-9a-fA-F]+\Z")
_REPLACED: Final = "refs/replace/"


class Refs:
    """The refs of a repository, in files."""

    def __init__(self, layout: Layout) -> None:
        """Read from the directories of *layout*."""
        self._layout = layout
        self._packed = dict(self._read_packed())

    def head(self) -> bytes | None:
        """Return the id that HEAD leads to, None where it has no commit yet."""
        if self._layout.reftable:
            return self._head_of_table()
        name = self._linked_head() or "HEAD"
        for _ in range(_LINKS):
            text = self._text(name)
            if text is None:
                return self._oid(self._packed.get(name, ""))
            if not text.startswith("ref:"):
                return self._oid(text)
            name = text.removeprefix("ref:").strip()
        return None

    def _linked_head(self) -> str | None:
        """Return the name that HEAD leads to where it is a symbolic link; the ref itself may be packed."""
        head = self._layout.own / "HEAD"
        target = str(head.readlink()) if head.is_symlink() else ""
        return target if target.startswith("refs/") else None

    def replaced(self) -> dict[bytes, bytes]:
        """Return the ids of objects that others replace, with the ids of those."""
        if not self._layout.replaces:
            return {}
        directory = self._layout.shared / _REPLACED
        names = {name for name in self._packed if name.startswith(_REPLACED)}
        if directory.is_dir():
            names |= {_REPLACED + path.name for path in directory.iterdir()}
        replaced = {}
        for name in names:
            oid = self._oid(name.removeprefix(_REPLACED))
            other = self._oid(self._text(name) or self._packed.get(name, ""))
            if oid is not None and other is not None:
                replaced[oid] = other
        return replaced

    def parents(self) -> dict[bytes, tuple[bytes, ...]]:
        """Return the parents that the repository overrides: grafts, and the ends of a shallow clone."""
        overridden = {}
        for line in self._lines("info/grafts"):
            oids = [self._oid(part) for part in line.split()]
            if oids and oids[0] is not None:
                overridden[oids[0]] = tuple(oid for oid in oids[1:] if oid is not None)
        for line in self._lines("shallow"):
            oid = self._oid(line.strip())
            if oid is not None:
                overridden[oid] = ()
        return overridden

    def _lines(self, name: str) -> list[str]:
        try:
            return (self._layout.shared / name).read_text("utf-8", "replace").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _text(self, name: str) -> str | None:
        directories = [self._layout.own] if name == "HEAD" else [self._layout.shared, self._layout.own]
        for directory in directories:
            try:
                return (directory / name).read_bytes().decode("utf-8", "surrogateescape").strip()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
        return None

    def _read_packed(self) -> Iterator[tuple[str, str]]:
        try:
            text = (self._layout.shared / "packed-refs").read_bytes().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return
        for line in text.split("\n"):
            oid, _, name = line.partition(" ")
            if name and not line.startswith(("#", "^")):
                yield name.strip(), oid

    def _oid(self, text: str) -> bytes | None:
        if len(text) != 2 * self._layout.oid_size or _OID.match(text) is None:
            return None
        return bytes.fromhex(text)

    def _head_of_table(self) -> bytes | None:
        from dulwich.repo import Repo  # noqa: PLC0415 # only for repositories whose refs are in tables

        repository = Repo(str(self._layout.own))
        try:
            return self._oid(repository.head().decode())
        except KeyError:
            return None
        finally:
            repository.close()

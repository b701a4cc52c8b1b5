"""Where the parts of a repository are, whatever its form: bare, with a working tree, or one of several."""

from pathlib import Path
from typing import Final

from dulwich.config import ConfigFile
from msgspec import Struct

_OID_SIZES: Final = {"sha1": 20, "sha256": 32}
_EXTENSIONS: Final = frozenset(
    {
        "compatobjectformat",
        "noop",
        "objectformat",
        "partialclone",
        "preciousobjects",
        "refstorage",
        "relativeworktrees",
        "worktreeconfig",
    }
)
_VERSIONS: Final = ("", "0", "1")
_FALSE: Final = ("false", "no", "off", "0")


class LayoutError(Exception):
    """The directory is a repository of a form that cannot be read."""


class Layout(Struct, frozen=True, kw_only=True):
    """A repository's own directory, the one that its working trees share, and how ids and refs are stored.

    *replaces* says whether the objects that `git replace` exchanged count.
    """

    own: Path
    shared: Path
    oid_size: int
    reftable: bool
    replaces: bool = True


def layout_of(path: Path) -> Layout | None:
    """Return the layout of the repository at *path*, None where there is none; raises LayoutError."""
    own = _git_directory(path)
    if own is None:
        return None
    common = own / "commondir"
    shared = (own / _line(common)) if common.is_file() else own
    if not (shared / "objects").is_dir():
        return None
    return _configured(own, shared)


def _git_directory(path: Path) -> Path | None:
    for candidate in (path / ".git", path):
        if candidate.is_file():
            candidate = candidate.parent / _line(candidate).removeprefix("gitdir:").strip()  # noqa: PLW2901 # follows it
        if (candidate / "HEAD").is_file() or (candidate / "HEAD").is_symlink():
            return candidate
    return None


def _line(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "surrogateescape").rstrip("\r\n")


def _configured(own: Path, shared: Path) -> Layout:
    try:
        config = ConfigFile.from_path(str(shared / "config"))
    except FileNotFoundError:
        return Layout(own=own, shared=shared, oid_size=_OID_SIZES["sha1"], reftable=False)
    except (ValueError, OSError) as error:
        raise LayoutError(f"its configuration cannot be read: {error}") from error
    version = _value(config, b"core", b"repositoryformatversion")
    if version not in _VERSIONS:
        raise LayoutError(f"version {version} of the format is not known")
    extensions = set[str]() if version != "1" else _extensions(config)
    unknown = sorted(extensions - _EXTENSIONS)
    if unknown:
        raise LayoutError(f"the extension {unknown[0]} is not known")
    # Both of these count in every version of the format, as the git program reads them.
    format_ = _value(config, b"extensions", b"objectformat").lower() or "sha1"
    refs = _value(config, b"extensions", b"refstorage").lower() or "files"
    if format_ not in _OID_SIZES or refs not in ("files", "reftable"):
        raise LayoutError(f"objects in the format {format_} with refs in {refs} are not known")
    return Layout(
        own=own,
        shared=shared,
        oid_size=_OID_SIZES[format_],
        reftable=refs == "reftable",
        replaces=_value(config, b"core", b"usereplacerefs").lower() not in _FALSE,
    )


def _extensions(config: ConfigFile) -> set[str]:
    try:
        items = list(config.items((b"extensions",)))
    except KeyError:
        return set()
    return {name.decode("utf-8", "replace").lower() for name, _ in items}


def _value(config: ConfigFile, section: bytes, name: bytes) -> str:
    try:
        return config.get((section,), name).decode("utf-8", "replace")
    except KeyError:
        return ""

"""Git's bytes as text that JSON can carry: paths, people, times, messages."""

import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONE_BYTES: Final = range(0xDC80, 0xDD00)  # where surrogateescape puts the bytes that are not UTF-8
_DAY_SECONDS: Final = 24 * 60 * 60


def path_text(path: bytes) -> str:
    """Return *path* with each byte that is not UTF-8, and each control character, percent-encoded.

    Git allows any byte but NUL in a name, the API neither of those. A path without them is unchanged, percent
    signs included; so a path that already looks like another one's encoding would meet it.
    """
    return "".join(map(_escaped, path.decode("utf-8", "surrogateescape")))


def decoded(data: bytes, encoding: bytes | None) -> str:
    """Return *data* as text in the commit's declared encoding, else in UTF-8 with replacement characters."""
    if encoding is not None:
        try:
            return data.decode(encoding.decode("ascii"))
        except (LookupError, UnicodeError):
            pass
    return data.decode("utf-8", "replace")


def identity(data: bytes, encoding: bytes | None) -> tuple[str, str | None]:
    """Return the name and, where there is one, the e-mail address of `Name <address>`."""
    name, _, rest = decoded(data, encoding).partition("<")
    address = rest.partition(">")[0].strip()
    return name.strip(), address or None


def rfc3339(seconds: int | None, offset: int | None) -> str:
    """Return a time with the author's offset: UTC for an impossible offset, the epoch for an impossible time.

    Old tools have written both into histories that are still in use.
    """
    try:
        moment = _EPOCH + timedelta(seconds=seconds or 0)
    except OverflowError:
        moment = _EPOCH
    if not offset or abs(offset) >= _DAY_SECONDS:
        return moment.isoformat()
    try:
        return moment.astimezone(timezone(timedelta(seconds=offset))).isoformat()
    except OverflowError:
        return moment.isoformat()


def _escaped(character: str) -> str:
    code = ord(character)
    if code in _LONE_BYTES:
        return f"%{code - 0xDC00:02X}"
    if unicodedata.category(character) == "Cc":
        return "".join(f"%{byte:02X}" for byte in character.encode())
    return character

"""Git's bytes as text that JSON can carry: people, times, messages."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_OFFSET: Final = 14 * 60 * 60
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_REPLACEMENT: Final = "\ufffd"
_TIME: Final = re.compile(rb"\s*(-?[0-9]{1,20})(?:\.[0-9]*)?(?:\s+([+-])([0-9]{1,9}))?")
_TIME_AT_END: Final = re.compile(r"(?:^| )-?[0-9]{1,20} [+-][0-9]{1,9}\Z")
_NOT_KNOWN_TO_GIT: Final = frozenset(
    {"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"}
)


def decoded(data: bytes, encoding: bytes | None) -> str:
    """Return *data* as text in the commit's declared encoding, else in UTF-8, with replacement characters."""
    text = None if encoding is None else _in_encoding(data, encoding)
    return data.decode("utf-8", "replace") if text is None else text


def _in_encoding(data: bytes, encoding: bytes) -> str | None:
    name = encoding.decode("ascii", "replace").strip().lower()
    if name.replace("-", "_") in _NOT_KNOWN_TO_GIT:
        return None
    try:
        text = data.decode(name)
    except (LookupError, ValueError):
        return None
    return _SURROGATE.sub(_REPLACEMENT, text)  # UTF-7 can encode a half of a character


def identity(data: bytes, encoding: bytes | None) -> tuple[str, str | None]:
    """Return the name and, where there is one, the e-mail address of `Name <address>`."""
    name, bracket, rest = decoded(data, encoding).partition("<")
    address = rest.partition(">")[0].strip()
    return (name if bracket else _TIME_AT_END.sub("", name)).strip(), address or None


def author_time(author: bytes) -> str:
    """Return the time at the end of an author line in RFC 3339: the epoch where no time can be read."""
    match = _TIME.match(author[author.rfind(b">") + 1 :])
    if match is None:
        return _EPOCH.isoformat()
    seconds, sign, zone = match.groups()
    if zone is None:
        return rfc3339(int(seconds), 0)
    hours, minutes = divmod(int(zone), 100)
    offset = 60 * (60 * hours + minutes)
    return rfc3339(int(seconds), -offset if sign == b"-" else offset)


def rfc3339(seconds: int, offset: int) -> str:
    """Return a time with the author's offset: UTC for an impossible offset, the epoch for an impossible time.

    Old tools have written both into histories that are still in use.
    """
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        moment = _EPOCH
    if not offset or abs(offset) > _LARGEST_OFFSET:
        return moment.isoformat()
    try:
        return moment.astimezone(timezone(timedelta(seconds=offset))).isoformat()
    except OverflowError:
        return moment.isoformat()

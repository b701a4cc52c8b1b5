"""HTTP/1.1 in bytes: requests are built once, and answers are read with as little work as possible."""

import json
import re
from typing import Any, NamedTuple

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_WITHOUT_BODY = (204, 304)


class WireError(Exception):
    """The server sent something that this client cannot read as HTTP/1.1."""


class Answer(NamedTuple):
    """One answer: its status, the bytes of its head, and its body without framing."""

    status: int
    head: bytes
    body: bytes

    @property
    def ok(self) -> bool:
        """Return whether the request succeeded."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """Return the first header of that name, None without one."""
        match = re.search(
            rb"\r\n" + re.escape(name.encode()) + rb":[ \t]*([^\r\n]*)", self.head, re.IGNORECASE
        )
        return match[1].decode("latin-1") if match else None

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


def request(
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: object = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    """Return the bytes of a request on a keep-alive connection to a loopback server."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    content = b""
    if body is not None:
        content = json.dumps(body, separators=(",", ":")).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode() + _END + content


class AnswerReader:
    """Assemble the bytes of a connection into answers, one request at a time."""

    __slots__ = ("_buffer", "_needed")

    def __init__(self) -> None:
        self._buffer = b""
        self._needed = 0

    def feed(self, data: bytes) -> Answer | None:
        """Add *data*; return the answer once it is complete; raise WireError where it is not HTTP/1.1."""
        if self._buffer:
            data = self._buffer + data
        if len(data) < self._needed or (end := data.find(_END)) < 0:
            self._buffer = data
            return None
        answer = self._read(data, end)
        if answer is None:
            self._buffer = data
        else:
            self._buffer, self._needed = b"", 0
        return answer

    def _read(self, data: bytes, end: int) -> Answer | None:
        if not data.startswith(b"HTTP/1.1 "):
            raise WireError(f"no HTTP/1.1 answer: {data[:40]!r}")
        status, head, start = int(data[9:12]), data[:end], end + len(_END)
        if status in _WITHOUT_BODY:
            return Answer(status, head, b"")
        if (length := _LENGTH.search(head)) is not None:
            self._needed = start + int(length[1])
            return Answer(status, head, data[start : self._needed]) if len(data) >= self._needed else None
        if _CHUNKED.search(head) is None:
            raise WireError("the answer has neither a length nor chunks")
        body = _dechunked(data, start)
        return None if body is None else Answer(status, head, body)


def _dechunked(data: bytes, start: int) -> bytes | None:
    """Return the body of the chunks from *start*, None while some are missing."""
    parts: list[bytes] = []
    while (line := data.find(b"\r\n", start)) >= 0:
        size = int(data[start:line].split(b";", 1)[0], 16)
        start = line + 2
        if len(data) < start + size + 2:
            return None
        if size == 0:
            return b"".join(parts)
        parts.append(data[start : start + size])
        start += size + 2
    return None

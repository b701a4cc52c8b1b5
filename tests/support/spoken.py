"""Everything that clients sent to a server and got from it, to look for it where it must not be."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx

from domain.limits import UUID
from read_api.app import operations

_SHORTEST = 8
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
"""A day of the calendar, which each line of a log has too."""

_KNOWN = {segment for operation in operations() for segment in operation.path.split("/")}


class Spoken:
    """Collects the texts of requests and answers: every text in a body, in a query and in a header."""

    def __init__(self) -> None:
        self.texts: set[str] = set()

    async def note_request(self, request: httpx.Request) -> None:
        await request.aread()
        self._add(request.content)
        for _, value in parse_qsl(request.url.query.decode()):
            self.add(value)
        self.add(request.url.query.decode())
        for segment in request.url.raw_path.partition(b"?")[0].decode().split("/"):
            self.add(unquote(segment))
        for name in ("authorization", "user-agent", "x-forwarded-for"):
            self.add(request.headers.get(name, "").removeprefix("Bearer "))

    async def note_answer(self, answer: httpx.Response) -> None:
        if answer.is_success and answer.headers.get("content-type", "").startswith("application/json"):
            self._add(await answer.aread())

    def add(self, text: str) -> None:
        """Note *text*, unless it is short, an id that the server made, a day, or a word of the interface."""
        if len(text) >= _SHORTEST and text not in _KNOWN and not _is_id(text):
            self.texts.add(text)

    def found_in(self, written: str) -> list[str]:
        """Return the texts that are in *written*, as they are or as JSON has them."""
        return sorted(text for text in self.texts if text in written or json.dumps(text)[1:-1] in written)

    def _add(self, content: bytes) -> None:
        try:
            for text in _leaves(json.loads(content)):
                self.add(text)
        except ValueError:
            self.add(content.decode("latin-1"))


def _is_id(text: str) -> bool:
    return re.fullmatch(UUID, text) is not None or _DAY.fullmatch(text) is not None


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, str):
        yield value

"""No span of any REST operation has a value that somebody sent: names, addresses, texts, paths, tokens."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan

from commands.table.registry import CLIENT_COMMANDS
from domain.actor import Role
from domain.policy import POLICY
from domain.registry import EVENTS
from read_api.app import operations
from telemetry import tracing
from tests.integration.test_document_examples import IN_A_QUEUE, walked
from tests.support.application import unlimited
from tests.support.mailbox import installation
from tests.support.spans import recording

pytestmark = pytest.mark.integration

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHORTEST = 4
"""A shorter value is compared with whole values: a single letter is a part of most words."""
WORDS = {
    *CLIENT_COMMANDS,
    *(event.TOPIC for event in EVENTS),
    *Role,
    "read",
    "write",
    "projects",
    "api",
    "v1",
}
"""What requests contain of the program's own words: names of commands, roles, scopes, and parts of paths."""


class Sent:
    """Every value that requests have sent."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self.requests = 0

    async def note(self, request: httpx.Request) -> None:
        self.requests += 1
        self.values |= set(unquote(request.url.path).strip("/").split("/"))
        self.values |= {value for _, value in parse_qsl(request.url.query.decode())}
        authorization = request.headers.get("authorization", "")
        self.values |= {authorization, authorization.removeprefix("Bearer ")}
        if request.content:
            self.values |= set(leaves(json.loads(request.content)))

    @property
    def private(self) -> set[str]:
        """What must not occur in a trace: no ids, and nothing that each path and each client contains."""
        templates = {part for each in operations() for part in each.path.strip("/").split("/")}
        return {each for each in self.values if each and not ID.fullmatch(each)} - WORDS - templates


def leaves(document: Any) -> Iterator[str]:
    """Yield the texts of a document."""
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        for each in document:
            yield from leaves(each)
    elif isinstance(document, str):
        yield document


def texts(span: ReadableSpan) -> Iterator[tuple[str, str]]:
    """Yield every text of a span, with where it stands."""
    yield "name", span.name
    yield "status", span.status.description or ""
    yield "state", str(span.context.trace_state)
    for name, value in (span.attributes or {}).items():
        yield name, str(value)
    for event in span.events:
        yield "event", f"{event.name} {dict(event.attributes or {})}"
    for link in span.links:
        yield "link", str(dict(link.attributes or {}))


def leaks(spans: tuple[ReadableSpan, ...], private: set[str]) -> list[tuple[str, str, str]]:
    """Return which private values occur where."""
    return [
        (span.name, where, value)
        for span in spans
        for where, text in texts(span)
        for value in private
        if value == text or (len(value) >= SHORTEST and value in text)
    ]


def test_no_value_that_was_sent_occurs_in_a_span(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent()
    create = httpx.AsyncClient.__init__

    def hooked(self: httpx.AsyncClient, *args: Any, **options: Any) -> None:
        create(self, *args, **options, event_hooks={"request": [sent.note]})

    monkeypatch.setattr(httpx.AsyncClient, "__init__", hooked)

    async def run() -> None:
        async with installation(tmp_path, limits=unlimited()) as here:
            assert await walked(here) == []

    with recording() as recorded:
        asyncio.run(run())
        spans = recorded.all
    private = sent.private
    assert {"Ada", "correct horse battery", "ada@example.org", "src/count.py", "Count faster"} <= private
    assert len(private) > 50
    assert leaks(spans, private) == []
    served = [span for span in spans if span.kind.name == "SERVER"]
    assert len(served) == sent.requests
    assert {span.attributes.get("codepark.action") for span in served} <= {*POLICY, None}
    routes = {span.attributes["http.route"] for span in served}
    assert routes == {
        each.path for each in operations() if not each.hidden and each.handler.__name__ not in IN_A_QUEUE
    }


def test_a_value_that_was_sent_would_be_noticed() -> None:
    with recording() as recorded:
        tracing.begin("a", attributes={"b": "of ada@example.org"}).end()
        assert leaks(recorded.all, {"ada@example.org"}) == [("a", "b", "ada@example.org")]

"""A log at its most talkative tells nothing that people sent, and no secret that they got."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from email import message_from_string
from email.policy import default
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pyotp
import pytest

from tests.integration.test_document_examples import EMAIL, ORDER, Walk
from tests.support.cluster_server import ClusterServer
from tests.support.people import PASSWORD
from tests.support.server import Server, eventually
from tests.support.spoken import Spoken
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

TALKATIVE = {
    "CODEPARK_LOG_LEVEL": "trace",
    "CODEPARK_ACCESS_LOG": "all",
    "CODEPARK_TRUSTED_PROXIES": "127.0.0.1",
}
ADDRESS = "203.0.113.77"
AUTH = "/api/v1/auth"
WITH_MAIL = {"resend_verification", "verify_address"}
"""Operations that need a mail server."""

MARKED = {"description", "message", "title", "text", "content", "requestId"}
_TOKEN = re.compile(r"^ey\S+$", re.MULTILINE)


class Remote:
    """A server in a process of its own, with the interface of an installation in this one."""

    def __init__(self, server: Server, spoken: Spoken, stack: AsyncExitStack) -> None:
        self.server, self.spoken, self._stack = server, spoken, stack
        self.visitor = self._client()
        self.app = SimpleNamespace(client=self.acting(server.token()))

    def acting(self, token: str) -> httpx.AsyncClient:
        client = self._client()
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    async def log_in(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        answer = await self.visitor.post(f"{AUTH}/login", json={"email": email, "password": password})
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    async def client(self, name: str) -> httpx.AsyncClient:
        email = f"{name}@example.org"
        body = {"email": email, "name": name, "password": PASSWORD}
        assert (await self.visitor.post(f"{AUTH}/register", json=body)).is_success
        return self.acting((await self.log_in(email))["accessToken"])

    async def reset_token(self) -> str:
        before = self._mailed()
        await self.visitor.post(f"{AUTH}/password/forgot", json={"email": EMAIL})
        (token,) = await asyncio.to_thread(eventually, lambda: self._mailed() - before, seconds=10)
        self.spoken.add(token)
        return token

    def _mailed(self) -> set[str]:
        """Return the tokens in the mails that were written."""
        mails = [path.read_text() for path in (self.server.data / "mail").glob("*")]
        texts = [message_from_string(mail, policy=default).get_content() for mail in mails]
        return {token.group() for text in texts if (token := _TOKEN.search(text)) is not None}

    def _client(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=self.server.url, timeout=stretched(20))
        client.headers["X-Forwarded-For"] = ADDRESS
        server = self.server
        if isinstance(server, ClusterServer):

            async def carry(request: httpx.Request) -> None:
                server._carry(request)

            async def note(answer: httpx.Response) -> None:
                server._note(answer)

            client.event_hooks = {"request": [carry], "response": [note]}
        hooks = client.event_hooks
        hooks["request"] = [*hooks["request"], self.spoken.note_request]
        hooks["response"] = [*hooks["response"], self.spoken.note_answer]
        client.event_hooks = hooks
        self._stack.push_async_callback(client.aclose)
        return client


class TalkingWalk(Walk):
    """Sends every operation, with texts that can be recognised."""

    async def _filled(self, name: str, example: Any) -> Any:
        if name == "reset_password":
            return {**example, "token": await self.here.reset_token()}
        return _marked(await super()._filled(name, example))


def _marked(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _marked(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_marked(each, key) for each in value]
    return f"{value} {uuid4().hex}" if isinstance(value, str) and key in MARKED else value


@asynccontextmanager
async def remote(server: Server) -> AsyncIterator[Remote]:
    async with AsyncExitStack() as stack:
        yield Remote(server, Spoken(), stack)


@pytest.fixture(params=["embedded", "cluster"])
def talkative(request, tmp_path):
    data = tmp_path / "data"
    if request.param == "embedded":
        server = Server(data, more=TALKATIVE)
    else:
        kafka, mongodb_uri, redis_url = (
            request.getfixturevalue(name) for name in ("kafka", "mongodb_uri", "redis_url")
        )
        prefix = f"logged-{uuid4().hex[:12]}."
        server = ClusterServer(data, kafka=kafka, mongodb_uri=mongodb_uri, redis_url=redis_url, prefix=prefix)
        for program in (server, *server._workers):
            program.environment.update(TALKATIVE)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_no_log_has_what_was_sent(talkative):
    spoken = asyncio.run(_everything(talkative))
    logs = [path.read_text() for path in talkative.data.parent.glob("*.log")]
    written = "\n".join(logs)
    assert len(spoken.texts) > 200
    assert written.count('"event": "request"') > len(ORDER), "every request has a line"
    assert '"level": "trace"' in written
    assert spoken.found_in(written) == []


async def _everything(server: Server) -> Spoken:
    async with remote(server) as here:
        await _operations(here)
        await _refusals(here)
        await _graphql(here)
        await _odd(here)
        return here.spoken


async def _operations(here: Remote) -> None:
    walk, failed = TalkingWalk(here), []
    for name in ORDER:
        if name in WITH_MAIL:
            continue
        answer = await walk.send(name)
        if not answer.is_success:
            failed.append((name, answer.status_code, answer.text))
            continue
        walk.keep(name, answer)
    assert failed == []


async def _refusals(here: Remote) -> None:
    """Send what is refused: wrong secrets, wrong paths, wrong bodies."""
    word = uuid4().hex
    client = await here.client("carol")
    answers = [
        await here.visitor.post(f"{AUTH}/login", json={"email": f"{word}@example.org", "password": word}),
        await here.visitor.post(f"{AUTH}/login", json={"email": "carol@example.org", "password": word}),
        await here.visitor.post(f"{AUTH}/refresh", json={"refreshToken": word}),
        await here.acting(f"ey{word}").get("/api/v1/me"),
        await client.get(f"/api/v1/{word}"),
        await client.get(f"/{word}?secret={word}"),
        await client.get("/api/v1/projects", params={"unknown": word}),
        await client.post("/api/v1/projects", content=b'{"name": "' + word.encode()),
        await client.post("/api/v1/projects", json={"name": word, word: word}),
        await client.post("/api/v1/projects", json={"name": [word]}),
        await client.put("/api/v1/projects/none/files/" + word, json={"content": word}),
        await client.post("/api/v1/feedback", json={"message": word * 200}),
    ]
    assert {answer.status_code // 100 for answer in answers} == {4}, [each.status_code for each in answers]
    here.spoken.add(word)


async def _graphql(here: Remote) -> None:
    word = uuid4().hex
    client = here.app.client
    queries = [
        f'mutation {{ createProject(input: {{name: "{word}"}}) {{ version }} }}',
        f'{{ projects(search: "{word}") {{ nodes {{ name }} }} }}',
        f'{{ project(id: "{word}") {{ name }} }}',
        f"{{ {word} }}",
        f'{{ projects(after: "{word}"',
    ]
    for query in queries:
        await client.post("/graphql", json={"query": query, "variables": {word: word}})
    here.spoken.add(word)


async def _odd(here: Remote) -> None:
    """Read by search words, by paths and as a live stream; sign in with a one-time password."""
    word = uuid4().hex
    client = await here.client("dora")
    made = (await client.post("/api/v1/projects", json={"name": f"p{word}", "visibility": "public"})).json()
    path = f"/api/v1/projects/{made['id']}"
    for answer in (
        await client.put(f"{path}/files/secret/{word}.py", json={"content": f"x = '{word}'\n"}),
        await client.get(f"{path}/files/secret/{word}.py"),
        await client.get("/api/v1/projects", params={"search": word}),
        await client.get("/api/v1/accounts", params={"name": "dora"}),
        await client.post("/api/v1/feedback", json={"message": f"slow {word}", "requestId": f"r-{word}"}),
        await client.patch("/api/v1/me", json={"email": f"{word}@example.org"}),
    ):
        assert answer.is_success, answer.text
    secret = (await client.post(f"{AUTH}/mfa/setup")).json()
    code = {"code": pyotp.TOTP(secret["secret"]).now()}
    assert (await client.post(f"{AUTH}/mfa/enable", json=code)).is_success
    async with client.stream("GET", "/api/v1/events/stream", params={"type": "file.written"}) as stream:
        assert stream.status_code == httpx.codes.OK
        await stream.aclose()
    here.spoken.add(word)

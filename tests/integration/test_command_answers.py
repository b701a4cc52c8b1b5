"""What a node shows of its own commands, from its replica, is what the read models show.

A read model whose documents a command's answer shows, and that does not say so (`answers_commands`), fails
here: the law is tried without each of them, and must break each time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from codepark.profiles.embedded import EmbeddedProfile
from codepark.replica_answers import ReplicaAnswers
from commands.outcomes import Accepted
from commands.partitions import Logs
from commands.table.registry import CLIENT_COMMANDS
from domain.errors import Refusal
from projections.model import ReadModel
from read_api.api import Api
from read_api.query_services import Queries
from tests.support.application import Application, whole_application

pytestmark = pytest.mark.integration

ANSWERS_NOTHING = {
    "project.delete",
    "collaborator.remove",
    "file.delete",
    "notifications.read",
    "feedback.give",
}
COMPLEX = "def f(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(12))
CREDENTIALS = {"email": "ada@example.org", "password": "correct horse battery"}
COMMIT = {
    "message": "First",
    "author": {"name": "Ada", "email": "ada@example.org"},
    "authoredAt": "2026-01-01T00:00:00Z",
    "changes": [{"path": "b.py", "status": "A", "content": COMPLEX}],
}


class Comparison:
    """Ask the read models, the replica, and a replica without each model that answers commands."""

    def __init__(self, profile: EmbeddedProfile) -> None:
        self.profile = profile
        self.answered = 0
        self.differences: list[Any] = []
        self.broken: Counter[str] = Counter()
        self._replica = self._answers(profile.models)
        self._without = {
            model.name: self._answers(
                [
                    replace(each, answers_commands=each.answers_commands and each != model)
                    for each in profile.models
                ]
            )
            for model in profile.models
            if model.answers_commands
        }

    def _answers(self, models: Any) -> ReplicaAnswers:
        log: Any = self.profile.log
        log.on_foreign = lambda _: None  # no other process writes to it
        return ReplicaAnswers(Logs([log]), self.profile.store, models, self.profile.insights_pending)

    async def __call__(self, command: Accepted, ask: Callable[[Queries], Any]) -> Any:
        names = [model.name for model in self.profile.models]
        await self.profile.progress.wait(names, self.profile.logs.tip().sequences, 30)
        expected = ask(self.profile.queries)
        answer = await _answer(self._replica, command, ask)
        if answer != expected:
            self.differences.append((answer, expected))
        for name, replica in self._without.items():
            self.broken[name] += await _answer(replica, command, ask) != expected
        self.answered += 1
        return expected

    @property
    def without(self) -> set[str]:
        """Return the names of the models that one of the replicas is without."""
        return set(self._without)


async def _answer(replica: ReplicaAnswers, command: Accepted, ask: Callable[[Queries], Any]) -> Any:
    try:
        return await replica.ask(command, ask)
    except Refusal as error:
        return error.message


class Caller:
    """A client that sends each type of command, and counts the answers that were compared."""

    def __init__(self, app: Application, comparison: Comparison) -> None:
        self.app = app
        self.client = app.client
        self.comparison = comparison
        self.answers: Counter[str] = Counter()

    async def send(self, type_name: str, method: str, path: str, body: Any = None) -> Any:
        """Send a request that carries out a command; return the body of its answer."""
        before = self.comparison.answered
        answer = await self.client.request(method, path, json=body)
        assert answer.is_success, (type_name, answer.text)
        assert self.comparison.differences == [], type_name
        self.answers[type_name] += self.comparison.answered - before
        return answer.json() if answer.content else None

    async def mutate(self, type_name: str, mutation: str, shown: str, **variables: str) -> None:
        """Carry out a command that has no address of its own in REST."""
        text = f"mutation {{ {mutation}(projectId: $p, input: {{suggestionId: $s}}) {{ {shown} }} }}"
        text = text.replace("mutation {", "mutation ($p: ID!, $s: ID!) {", 1)
        body = await self.send(type_name, "POST", "/graphql", {"query": text, "variables": variables})
        assert "errors" not in body, body

    async def suggestions(self, project: str) -> list[str]:
        """Return the ids of the suggestions for a project, once its insights are measured."""
        await self.app.profile.progress.wait(("insights",), self.app.profile.logs.tip().sequences, 60)
        body = (await self.client.get(f"/api/v1/projects/{project}/insights")).json()
        return [suggestion["id"] for suggestion in body["suggestions"]]


async def sign_in(stack: AsyncExitStack, caller: Caller) -> str:
    """Register an account and act as it from now on; return its id."""
    account = await caller.send("register", "POST", "/api/v1/auth/register", CREDENTIALS | {"name": "Ada"})
    answer = await caller.client.post("/api/v1/auth/login", json=CREDENTIALS)
    token = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
    transport = caller.app.client._transport
    caller.client = await stack.enter_async_context(
        httpx.AsyncClient(transport=transport, base_url="http://test", headers=token)
    )
    return str(account["id"])


async def send_all(stack: AsyncExitStack, caller: Caller) -> None:
    """Send every type of command."""
    service = caller.client
    account = await sign_in(stack, caller)
    await caller.send("account", "PATCH", "/api/v1/me", {"name": "countess"})
    await caller.send("token", "POST", "/api/v1/me/tokens", {"name": "ci", "scopes": ["read"]})
    project = (await caller.send("project.create", "POST", "/api/v1/projects", {"name": "p"}))["id"]
    path = f"/api/v1/projects/{project}"
    await caller.send("project.update", "PATCH", path, {"description": "Engine"})
    await _change_files(caller, path)
    await _review(caller, path)
    build = (await caller.send("build.queue", "POST", f"{path}/builds", {}))["id"]
    await caller.send("build.move", "PATCH", f"{path}/builds/{build}", {"status": "running"})
    first, second = (await caller.suggestions(project))[:2]
    await caller.mutate("suggestion.accept", "acceptSuggestion", _INSIGHTS, p=project, s=first)
    await caller.mutate("suggestion.dismiss", "dismissSuggestion", _INSIGHTS, p=project, s=second)
    await caller.send("preferences.change", "PUT", "/api/v1/me/notifications", {"weeklyReport": False})
    await caller.send("feedback.give", "POST", "/api/v1/feedback", {"message": "Good"})
    await caller.send("notifications.read", "POST", "/api/v1/notifications/read", {"ids": []})
    caller.client = service
    await caller.send("announcement.publish", "POST", "/api/v1/announcements", {"title": "t", "text": "x"})
    await caller.send("standing", "PATCH", f"/api/v1/accounts/{account}", {"tier": "pro"})
    other = (await caller.send("project.create", "POST", "/api/v1/projects", {"name": "q"}))["id"]
    people = f"/api/v1/projects/{other}/collaborators/{account}"
    await caller.send("collaborator.set", "PUT", people, {"role": "editor"})
    await caller.send("collaborator.remove", "DELETE", people)
    await caller.send("project.delete", "DELETE", f"/api/v1/projects/{other}")


_INSIGHTS = "insights { complexity suggestions { id } }"


async def _change_files(caller: Caller, path: str) -> None:
    await caller.send("file.write", "PUT", f"{path}/files/a.py", {"content": COMPLEX})
    await caller.send("file.write", "PUT", f"{path}/files/notes.txt", {"content": "x"})
    await caller.send("file.delete", "DELETE", f"{path}/files/notes.txt")
    await caller.send("commit.record", "POST", f"{path}/commits", COMMIT)
    await caller.send("project.update", "PATCH", path, {"name": "with files"})


async def _review(caller: Caller, path: str) -> None:
    review = (await caller.send("review.open", "POST", f"{path}/reviews", {"title": "Look"}))["id"]
    reviewed = f"{path}/reviews/{review}"
    await caller.send("review.comment", "POST", f"{reviewed}/comments", {"text": "Hm"})
    author, caller.client = caller.client, caller.app.client
    await caller.send("review.decide", "POST", f"{reviewed}/decision", {"decision": "approved"})
    caller.client = author
    await caller.send("review.close", "POST", f"{reviewed}/close", {})


def test_every_command_is_answered_as_the_read_models_answer(tmp_path):
    comparisons: list[Comparison] = []

    def compare(profile: EmbeddedProfile, api: Api) -> Api:
        comparisons.append(Comparison(profile))
        return replace(api, changed_resource=comparisons[0])

    async def run() -> Counter[str]:
        async with whole_application(tmp_path, compare) as app, AsyncExitStack() as stack:
            caller = Caller(app, comparisons[0])
            await send_all(stack, caller)
            return caller.answers

    answers = asyncio.run(run())
    assert set(CLIENT_COMMANDS) <= set(answers), "a new type of command belongs here"
    assert {name for name, count in answers.items() if count == 0} == ANSWERS_NOTHING
    broken = {name for name, count in comparisons[0].broken.items() if count}
    assert broken == comparisons[0].without, "without its flag, a model would be missing from an answer"


def test_a_read_model_answers_no_command_unless_it_says_so():
    assert ReadModel(name="m", version=1, collections=(), project=lambda *_: ()).answers_commands is False

"""Every example in the OpenAPI document works, sent as it stands with ids, tokens and codes of here."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pyotp
import pytest

from domain.credentials.decider import reset_state
from read_api.app import operations
from read_api.openapi import document
from read_api.openapi.examples import EMAIL, EXAMPLES, PASSWORD
from tests.support.application import unlimited
from tests.support.mailbox import Installation, installation

pytestmark = pytest.mark.integration

DOCUMENT = document(operations(), "1")
NEW_PASSWORD = EXAMPLES["change_password"]["newPassword"]

ORDER = [
    "live",
    "ready",
    "jwks",
    "register",
    "forgot_password",
    "resend_verification",
    "verify_address",
    "login",
    "refresh",
    "get_me",
    "list_sessions",
    "list_tokens",
    "create_token",
    "patch_me",
    "list_all_accounts",
    "get_account",
    "create_project",
    "list_projects",
    "get_project",
    "replace_project",
    "patch_project",
    "write_file",
    "list_files",
    "get_file",
    "record_commit",
    "list_commits",
    "get_commit",
    "get_timeline",
    "get_insights",
    "set_collaborator",
    "list_collaborators",
    "get_collaborator",
    "remove_collaborator",
    "open_review",
    "list_reviews",
    "get_review",
    "comment_review",
    "decide_review",
    "close_review",
    "queue_build",
    "list_builds",
    "get_build",
    "move_build",
    "list_notifications",
    "read_notifications",
    "get_preferences",
    "change_preferences",
    "publish_announcement",
    "list_announcements",
    "get_announcement",
    "give_feedback",
    "get_business_figures",
    "carry_out",
    "get_command",
    "list_events",
    "list_history",
    "delete_file",
    "delete_project",
    "mfa_setup",
    "mfa_enable",
    "mfa_verify",
    "mfa_disable",
    "revoke_token",
    "change_password",
    "reset_password",
    "patch_account",
    "logout",
    "revoke_session",
    "revoke_sessions",
    "revoke_account_sessions",
    "erase_me",
]
IN_A_QUEUE = {"get_jobs", "get_job", "retry_job", "cancel_job"}
"""They need a server with jobs: those of tests/integration/jobs send them."""

ADMINISTRATORS = {"publish_announcement", "patch_account", "revoke_account_sessions", "get_business_figures"}
OTHERS = {"decide_review"}
"""What the author of a review may not do."""


class Walk:
    """Sends the example of one operation after the other, and keeps what the answers hold for the next."""

    def __init__(self, here: Installation) -> None:
        self.here = here
        self.known: dict[str, str] = {"path": "src/count.py"}
        self.by_id = {
            operation["operationId"]: (method, path, operation)
            for path, methods in DOCUMENT["paths"].items()
            for method, operation in methods.items()
        }
        self.client = here.visitor

    async def send(self, name: str) -> httpx.Response:
        method, path, operation = self.by_id[name]
        await self._before(name)
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", self.known[parameter["name"]])
        kinds = operation.get("requestBody", {}).get("content", {})
        client = self.here.app.client if name in ADMINISTRATORS else self.client
        if name in OTHERS:
            client = self.other
        query = {each["name"]: each["example"] for each in operation["parameters"] if _in_query(each)}
        if not kinds:
            return await client.request(method, path, params=query)
        kind, content = next(iter(kinds.items())) if len(kinds) == 1 else list(kinds.items())[1]
        body = await self._filled(name, content["example"])
        return await client.request(method, path, json=body, headers={"Content-Type": kind})

    async def _before(self, name: str) -> None:
        """Do what a person does before the operation; only what no example before it did."""
        here = self.here
        if name in {"revoke_account_sessions", "logout", "revoke_session", "revoke_sessions", "erase_me"}:
            tokens = await here.log_in(EMAIL, EXAMPLES["reset_password"]["password"])
            self.known["refreshToken"] = tokens["refreshToken"]
            self.client = here.acting(tokens["accessToken"])
            sessions = (await self.client.get("/api/v1/me/sessions")).json()["items"]
            self.known["session_id"] = sessions[0]["id"]
        if name == "set_collaborator":
            self.other = await here.client("bob")
            self.known["own_id"] = self.known["account_id"]
            self.known["account_id"] = (await self.other.get("/api/v1/me")).json()["id"]
        if name == "open_review":
            self.known["account_id"] = self.known["own_id"]
            collaborator = f"/api/v1/projects/{self.known['project_id']}/collaborators/@bob"
            await self.client.put(collaborator, json={"role": "maintainer"})
        if name == "mfa_verify":
            waiting = await here.log_in(EMAIL, PASSWORD)
            self.known["mfaToken"] = waiting["mfaToken"]

    async def _filled(self, name: str, example: Any) -> Any:
        """Return the body of the example with what only this server knows."""
        fill: Mapping[str, Callable[[], Any]] = {
            "refresh": lambda: {"refreshToken": self.known["refreshToken"]},
            "logout": lambda: {"refreshToken": self.known["refreshToken"]},
            "mfa_enable": lambda: {"code": pyotp.TOTP(self.known["secret"]).now()},
            "mfa_verify": lambda: {"mfaToken": self.known["mfaToken"], "code": self.known["first"]},
            "mfa_disable": lambda: {"code": self.known["second"]},
            "reset_password": lambda: {"token": self._reset_token()},
        }
        if name == "verify_address":
            return {**example, "token": await self.here.token(EMAIL, "Verify your address")}
        if name == "carry_out":
            commands = [dict(command) for command in example["commands"]]
            return {"commands": [self._aimed(command) for command in commands]}
        return {**example, **fill.get(name, dict)()}

    def _aimed(self, command: dict[str, Any]) -> dict[str, Any]:
        return {**command, "target": self.known["project_id"]} if "target" in command else command

    def _reset_token(self) -> str:
        identity, account = self.here.identity, self.known["account_id"]
        principals = identity.principals
        state = reset_state(principals.account(account), principals.credentials(account))
        return identity.tokens.issue_reset(account, state)

    def keep(self, name: str, answer: httpx.Response) -> None:
        """Keep what the answer to the operation *name* holds for the operations after it."""
        body: Any = answer.json() if answer.content else {}
        made = {
            "register": "account_id",
            "create_project": "project_id",
            "open_review": "review_id",
            "queue_build": "build_id",
            "create_token": "token_id",
            "publish_announcement": "announcement_id",
        }
        if name in made:
            self.known[made[name]] = body["id"]
        for field in ("sha", "secret", "refreshToken"):
            if field in body:
                self.known[field] = body[field]
        if "codepark-command" in answer.headers:
            self.known["command_id"] = answer.headers["codepark-command"]
        if name == "mfa_enable":
            self.known["first"], self.known["second"] = body["recoveryCodes"][:2]
        if name in ("login", "refresh"):
            self.client = self.here.acting(body["accessToken"])


def _in_query(parameter: Any) -> bool:
    return parameter["in"] == "query" and "example" in parameter


def test_the_walk_visits_every_operation() -> None:
    names = [
        operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()
    ]
    assert sorted([*ORDER, *IN_A_QUEUE]) == sorted(names), "send the example of a new operation here, too"


def test_every_example_gets_the_success_that_the_document_says(tmp_path) -> None:
    async def run() -> None:
        async with installation(tmp_path, limits=unlimited()) as here:
            assert await walked(here) == []

    asyncio.run(run())


async def walked(here: Installation) -> list[tuple[str, int, str]]:
    """Send the example of every operation; return those that did not get their success."""
    walk, wrong = Walk(here), []
    for name in ORDER:
        if name == "resend_verification":  # the only one that must come before an address is verified
            walk.client = here.acting((await here.log_in(EMAIL))["accessToken"])
        answer = await walk.send(name)
        documented = {status for status in walk.by_id[name][2]["responses"] if status < "300"}
        if str(answer.status_code) not in documented:
            wrong.append((name, answer.status_code, answer.text))
            continue
        if name == "carry_out":
            assert {each["status"] for each in answer.json()["results"]} == {"accepted"}, answer.text
        walk.keep(name, answer)
    return wrong

"""What generated requests are about: a project with everything in it, and people with tokens and codes.

Most ids and all tokens are made by the server, so that no document can hold them. This makes enough of each
for every operation to succeed at least once, and writes them down as Schemathesis reads its settings.
"""

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from email import message_from_string
from email.policy import default
from pathlib import Path
from typing import Any

import pyotp
from schemathesis.config._warnings import DEFAULT_DISPLAYED_WARNINGS
from schemathesis.core.warnings import SchemathesisWarning

from read_api.openapi.examples import EXAMPLES, PASSWORD
from tests.support.people import Person, made
from tests.support.server import Server, eventually

MANY = 12
_TOKEN = re.compile(r"^ey\S+$", re.MULTILINE)
_TOTP_SECONDS = 30
_SHOWN = [each.value for each in DEFAULT_DISPLAYED_WARNINGS if each is not SchemathesisWarning.MISSING_AUTH]
_QUIET = f"warnings = {json.dumps(_SHOWN)}\nauth = {{ auto-signup = false }}"
"""Without a token most operations answer 401: that is no fault. Everything else that it warns of is."""

_AHEAD = 5
"""For how many time steps ahead one-time passwords are written down: the run takes that long."""

_ABOUT_A_PERSON = [
    "get_me",
    "patch_me",
    "list_sessions",
    "list_tokens",
    "create_token",
    "list_notifications",
    "read_notifications",
    "get_preferences",
    "change_preferences",
    "give_feedback",
    "mfa_setup",
    "resend_verification",
]

Values = Mapping[str, Iterable[str]]


class Settings:
    """Settings of Schemathesis: who asks, and from which values the parameters of an operation come."""

    def __init__(self, token: str | None) -> None:
        """Send requests with *token*, and operations about a person with that person's; None for none."""
        self._signed_in = token is not None
        self._lines: list[str] = [_QUIET if token is None else _header(token)]
        self._operations: list[str] = []
        self._named = 0
        self.known: dict[str, Any] = {"values": {}, "operations": {}}

    def everywhere(self, values: Values) -> None:
        """Let every operation take these parameters."""
        self._lines += self._bound("parameters", values)
        self.known["values"] |= {place: list(entries) for place, entries in values.items()}

    def only(self, operations: Sequence[str], values: Values, token: str | None = None) -> None:
        """Let *operations* alone take these parameters, and send them with *token*."""
        if not values and not self._signed_in:
            return  # there is nothing to set
        self._operations += ["[[operations]]", f"include-operation-id = {json.dumps(list(operations))}"]
        for operation in operations:
            entries = {place: list(entries) for place, entries in values.items()}
            self.known["operations"].setdefault(operation, {}).update(entries)
        if token is not None and self._signed_in:
            self._operations.append(_header(token))
        if values:
            self._operations += self._bound("operations.parameters", values)

    def _bound(self, table: str, values: Values) -> list[str]:
        lines = [f"[{table}]"]
        for parameter, entries in values.items():
            self._named += 1
            name = f"v{self._named}"
            self._lines += [f"[dictionaries.{name}]", f"values = {json.dumps(list(entries))}"]
            lines.append(f'"{parameter}" = {{ dictionary = "{name}", probability = 1.0 }}')
        return lines

    def text(self, common: str) -> str:
        """Return the settings as TOML: these, with the *common* ones of every run."""
        return "\n".join([*self._lines[:1], common, *self._lines[1:], *self._operations, ""])


def _header(token: str) -> str:
    return f'headers = {{ Authorization = "Bearer {token}" }}'


class World:
    """The data, made by the requests of people and of the service."""

    def __init__(self, server: Server, settings: Settings) -> None:
        self.server = server
        self.settings = settings
        self.service = server.client(server.token())
        self._people = 0
        self._clients = ExitStack()

    def person(self) -> Person:
        self._people += 1
        person = Person(self.server, f"person-{self._people}")
        self._clients.enter_context(person.client)
        return person

    def project(self, **changes: Any) -> str:
        body = {"name": "Engine", "visibility": "public", **changes}
        return str(made(self.service.post("/api/v1/projects", json=body))["id"])

    def make(self) -> None:
        """Make everything, and say where to use it."""
        with self.service, self._clients:
            self._project()
            self._whole_projects()
            self._accounts()
            self._tokens_and_sessions()
            self._second_factors()
            self._jobs()
            self._ends()
            self._reset()

    def _project(self) -> None:
        project = self.project()
        path = f"/api/v1/projects/{project}"
        files = [f"src/{number}.py" for number in range(MANY)]
        for name in files:
            made(self.service.put(f"{path}/files/{name}", json={"content": "1"}))
        commit = made(self.service.post(f"{path}/commits", json=EXAMPLES["record_commit"]))
        author = self.person()
        made(self.service.put(f"{path}/collaborators/{author.id}", json={"role": "editor"}), 200)
        reviews = [self._review(author, path) for _ in range(MANY)]
        builds = [made(self.service.post(f"{path}/builds", json={}))["id"] for _ in range(MANY)]
        announced = made(self.service.post("/api/v1/announcements", json=EXAMPLES["publish_announcement"]))
        changed = self.service.patch(path, json={"description": "It runs."})
        command = changed.headers["codepark-command"]
        self.settings.known["position"] = changed.headers["codepark-position"]
        self.settings.everywhere(
            {
                "path.project_id": [project],
                "path.path": [files[0], "README.md"],
                "path.sha": [commit["sha"]],
                "path.review_id": reviews[:3],
                "path.build_id": builds,
                "path.announcement_id": [announced["id"]],
                "path.command_id": [command],
                "path.account_id": [author.id],
            }
        )
        self.settings.only(["close_review"], {"path.review_id": reviews[3:]})
        self.settings.only(["delete_file"], {"path.path": files[1:]})

    def _review(self, author: Person, path: str) -> str:
        return str(made(author.client.post(f"{path}/reviews", json={"title": "Faster"}))["id"])

    def _whole_projects(self) -> None:
        doomed = [self.project(name="Doomed") for _ in range(MANY)]
        self.settings.only(["delete_project"], {"path.project_id": doomed})
        shared, people = self.project(name="Shared"), [self.person() for _ in range(3)]
        for person in people:
            path = f"/api/v1/projects/{shared}/collaborators/{person.id}"
            made(self.service.put(path, json={"role": "viewer"}), 200)
        leaving = {"path.project_id": [shared], "path.account_id": [person.id for person in people]}
        self.settings.only(["remove_collaborator"], leaving)

    def _accounts(self) -> None:
        with self.server.client() as visitor:
            made(visitor.post("/api/v1/auth/register", json=EXAMPLES["register"]))
        changed = [self.person().id]
        self.settings.only(["patch_account", "revoke_account_sessions"], {"path.account_id": changed})
        self.settings.only(_ABOUT_A_PERSON, {}, self.person().token)

    def _tokens_and_sessions(self) -> None:
        person = self.person()
        tokens = [self._api_token(person) for _ in range(MANY)]
        self.settings.only(["revoke_token"], {"path.token_id": tokens}, person.token)
        for _ in range(MANY):
            self._log_in(person.email)
        listed = person.client.get("/api/v1/me/sessions", params={"limit": 100}).json()["items"]
        sessions = [session["id"] for session in listed if not session["current"]]
        self.settings.only(["revoke_session"], {"path.session_id": sessions}, person.token)
        other = self.person()
        for operation in ("refresh", "logout"):
            refresh = [self._log_in(other.email)["refreshToken"] for _ in range(MANY)]
            self.settings.only([operation], {"body.refreshToken": refresh})

    def _jobs(self) -> None:
        """The queue begins after the server: wait for the jobs of its schedules."""

        def listed() -> list[str] | None:
            answer = self.service.get("/api/v1/jobs", params={"status": "delayed"})
            return [job["id"] for job in answer.json()["items"]] if answer.is_success else None

        jobs = eventually(listed)
        self.settings.only(["get_job", "retry_job", "cancel_job"], {"path.job_id": jobs})

    def _api_token(self, person: Person) -> str:
        body = {"name": "nightly", "scopes": ["read"]}
        return str(made(person.client.post("/api/v1/me/tokens", json=body))["id"])

    def _log_in(self, email: str) -> Any:
        with self.server.client() as visitor:
            return made(visitor.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD}), 200)

    def _second_factors(self) -> None:
        prepared = self.person()
        codes = self._codes(made(prepared.client.post("/api/v1/auth/mfa/setup"), 200)["secret"])
        self.settings.only(["mfa_enable"], {"body.code": codes}, prepared.token)
        person, recovery = self._with_second_factor()
        self.settings.only(["mfa_disable"], {"body.code": recovery}, person.token)
        person, recovery = self._with_second_factor()
        waiting = [self._log_in(person.email)["mfaToken"] for _ in range(3)]  # more in a row have to wait
        self.settings.only(["mfa_verify"], {"body.mfaToken": waiting, "body.code": recovery})

    def _with_second_factor(self) -> tuple[Person, list[str]]:
        person = self.person()
        secret = made(person.client.post("/api/v1/auth/mfa/setup"), 200)["secret"]
        code = {"code": pyotp.TOTP(secret).now()}
        enabled = made(person.client.post("/api/v1/auth/mfa/enable", json=code), 200)
        return person, enabled["recoveryCodes"]

    def _codes(self, secret: str) -> list[str]:
        now = int(time.time())
        return [pyotp.TOTP(secret).at(now + step * _TOTP_SECONDS) for step in range(_AHEAD)]

    def _reset(self) -> None:
        """Forget a password: the mail with the token is a file."""
        person = self.person()
        with self.server.client() as visitor:
            body = {"email": person.email}
            made(visitor.post("/api/v1/auth/password/forgot", json=body), 204)
        tokens = eventually(lambda: self._mailed("password/reset"))
        self.settings.only(["reset_password"], {"body.token": tokens})

    def _mailed(self, about: str) -> list[str]:
        mails = [path.read_text(encoding="utf-8") for path in (self.server.data / "mail").rglob("*.eml")]
        texts = [message_from_string(mail, policy=default).get_content() for mail in mails if about in mail]
        return [found.group() for text in texts if (found := _TOKEN.search(text))]

    def _ends(self) -> None:
        """Let people of their own meet the operations after which their token is no longer valid."""
        for operation in ("erase_me", "revoke_sessions"):
            self.settings.only([operation], {}, self.person().token)
        passwords = {"body.currentPassword": [PASSWORD]}
        self.settings.only(["change_password"], passwords, self.person().token)


def data_of(server: Server, common: str, folder: Path, *, signed_in: bool) -> tuple[Path, Path]:
    """Make the data on *server*; return the files with the settings that use it, and with the values."""
    settings = Settings(server.token() if signed_in else None)
    World(server, settings).make()
    config, known = folder / "schemathesis.toml", folder / "known.json"
    config.write_text(settings.text(common), encoding="utf-8")
    known.write_text(json.dumps(settings.known), encoding="utf-8")
    return config, known

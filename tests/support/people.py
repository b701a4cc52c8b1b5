"""Accounts that the tests of the HTTP surface act as."""

import time
from typing import Any

import httpx

from tests.support.server import Server

PASSWORD = "correct horse battery"
FRESH_SECONDS = 600
"""Of the fifteen minutes for which an access token is valid: a busy machine takes longer for a module."""


class Person:
    """Somebody with an account, and a client that acts for them, with a token that has not expired."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.email = f"{name.lower()}@example.org"
        self._server = server
        with server.client() as visitor:
            registered = visitor.post(
                "/api/v1/auth/register", json={"email": self.email, "name": name, "password": PASSWORD}
            )
        assert registered.status_code == httpx.codes.CREATED, registered.text
        self.id: str = registered.json()["id"]
        self._sign_in()
        self._client = server.client(self._token)

    @property
    def token(self) -> str:
        """A token that is valid for some minutes more."""
        self._renew()
        return self._token

    @property
    def client(self) -> httpx.Client:
        """The client with that token."""
        self._renew()
        return self._client

    def _renew(self) -> None:
        if time.monotonic() > self._fresh_until:
            self._sign_in()
            self._client.headers["Authorization"] = f"Bearer {self._token}"

    def _sign_in(self) -> None:
        with self._server.client() as visitor:
            login = visitor.post("/api/v1/auth/login", json={"email": self.email, "password": PASSWORD})
        assert login.status_code == httpx.codes.OK, login.text
        self._token: str = login.json()["accessToken"]
        self._fresh_until = time.monotonic() + FRESH_SECONDS


def position_now(person: Person) -> str:
    """Return the position of the end of the history, which a new project of *person* is."""
    created = person.client.post("/api/v1/projects", json={"name": "the end until now"})
    made(created)
    return created.headers["codepark-position"]


def made(answer: httpx.Response, status: int = 201) -> Any:
    """Return the body of an answer that must have *status*."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def refused(answer: Any, status: int, code: str) -> Any:
    """Return the problem document of a refusal, whose shape is checked."""
    assert answer.status_code == status, answer.content
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "instance", "code", "requestId"} <= problem.keys()
    assert (problem["status"], problem["code"]) == (status, code), problem
    assert problem["requestId"] == answer.headers["x-request-id"]
    return problem

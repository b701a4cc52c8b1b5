"""Accounts that the tests of the HTTP surface act as."""

from typing import Any

import httpx

from tests.support.server import Server

PASSWORD = "correct horse battery"


class Person:
    """Somebody with an account, and a client that acts for them."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.email = f"{name.lower()}@example.org"
        with server.client() as visitor:
            registered = visitor.post(
                "/api/v1/auth/register", json={"email": self.email, "name": name, "password": PASSWORD}
            )
            assert registered.status_code == httpx.codes.CREATED, registered.text
            self.id: str = registered.json()["id"]
            login = visitor.post("/api/v1/auth/login", json={"email": self.email, "password": PASSWORD})
            assert login.status_code == httpx.codes.OK, login.text
        self.token: str = login.json()["accessToken"]
        self.client = server.client(self.token)


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

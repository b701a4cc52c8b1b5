from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.people import Person, made
from tests.support.server import Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def anybody(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def admin(server: Server) -> Iterator[httpx.Client]:
    with server.client(server.token()) as client:
        yield client


def _person(server: Server, name: str) -> Iterator[Person]:
    person = Person(server, name)
    with person.client:
        yield person


@pytest.fixture(scope="session")
def ada(server: Server) -> Iterator[Person]:
    yield from _person(server, "Ada")


@pytest.fixture(scope="session")
def bob(server: Server) -> Iterator[Person]:
    yield from _person(server, "Bob")


@pytest.fixture(scope="session")
def eve(server: Server) -> Iterator[Person]:
    yield from _person(server, "Eve")


@pytest.fixture
def project(ada: Person) -> Any:
    return made(ada.client.post("/api/v1/projects", json={"name": "Engine"}))


@pytest.fixture
def public(ada: Person) -> Any:
    return made(ada.client.post("/api/v1/projects", json={"name": "Open", "visibility": "public"}))


@pytest.fixture
def path(project: Any) -> str:
    return f"/api/v1/projects/{project['id']}"

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.cluster_server import ClusterServer
from tests.support.people import Person, made
from tests.support.server import Server, serving


@pytest.fixture(scope="session", params=["embedded", "cluster"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve in each profile: what is true of one is true of the other."""
    data = tmp_path_factory.mktemp("server") / "data"
    if request.param == "embedded":
        with serving(data) as running:
            yield running
        return
    kafka, mongodb_uri, redis_url = (
        request.getfixturevalue(name) for name in ("kafka", "mongodb_uri", "redis_url")
    )
    prefix = f"http-{uuid4().hex[:12]}."
    server = ClusterServer(data, kafka=kafka, mongodb_uri=mongodb_uri, redis_url=redis_url, prefix=prefix)
    server.start()
    try:
        yield server
    finally:
        assert server.stop() == 0


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
def new_person(server: Server) -> Iterator[Callable[[], Person]]:
    """Register people whom no other test knows."""
    with ExitStack() as clients:

        def register() -> Person:
            person = Person(server, f"p-{uuid4().hex[:12]}")
            clients.enter_context(person.client)
            return person

        yield register


@pytest.fixture
def project(ada: Person) -> Any:
    return made(ada.client.post("/api/v1/projects", json={"name": "Engine"}))


@pytest.fixture
def public(ada: Person) -> Any:
    return made(ada.client.post("/api/v1/projects", json={"name": "Open", "visibility": "public"}))


@pytest.fixture
def path(project: Any) -> str:
    return f"/api/v1/projects/{project['id']}"

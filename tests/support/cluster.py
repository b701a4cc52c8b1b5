"""Real servers for tests: one set for all workers of a run, and private ones for tests that kill them.

`CODEPARK_TEST_KAFKA`, `CODEPARK_TEST_MONGODB_URI` and `CODEPARK_TEST_REDIS_URL` name servers that run
already. Where a server cannot be had, its tests are skipped; with `CODEPARK_REQUIRE_CLUSTER=1` they fail.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import pytest

from devservers.errors import MissingError
from devservers.jars import locked
from devservers.processes import Identity, wait_for
from devservers.servers import Kafka, Mongo, ThreeBrokers, ValkeyServer
from tests.support.keeper import stretch_starts
from tests.support.time_scale import stretched

ROOT = Path(__file__).parents[2]
KEEPER_SECONDS = 100.0  # below the tests' own limit, so that the reason is seen
END_SECONDS = 40.0


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The bootstrap servers of a Kafka that the whole run shares: use `topic_prefix`."""
    return os.environ.get("CODEPARK_TEST_KAFKA") or _shared("kafka", request, tmp_path_factory)


@pytest.fixture(scope="session")
def mongodb_uri(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URI of a server with MongoDB's protocol that the whole run shares: use `mongodb_name`."""
    return os.environ.get("CODEPARK_TEST_MONGODB_URI") or _shared("mongo", request, tmp_path_factory)


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a Valkey that the whole run shares: put something of your own into each key."""
    return os.environ.get("CODEPARK_TEST_REDIS_URL") or _shared("valkey", request, tmp_path_factory)


@pytest.fixture
def topic_prefix() -> Iterator[str]:
    """A prefix of topics that no other test has; in a Kafka that stays, its topics are removed."""
    prefix = f"test-{uuid.uuid4().hex[:12]}."
    yield prefix
    if stays := os.environ.get("CODEPARK_TEST_KAFKA"):
        asyncio.run(_delete_topics(stays, prefix))


@pytest.fixture
def mongodb_name(mongodb_uri: str) -> Iterator[str]:
    """A name of a database that no other test has; it is dropped at the end."""
    from pymongo import MongoClient

    name = f"test_{uuid.uuid4().hex[:12]}"
    yield name
    with MongoClient(mongodb_uri, serverSelectionTimeoutMS=int(stretched(5_000))) as client:
        client.drop_database(name)


def private_kafka(folder: Path, **options: Any) -> AbstractContextManager[Kafka]:
    """Run a Kafka for one test, over *folder*: `with private_kafka(tmp_path) as kafka`."""
    return _running(Kafka, folder, {"short_lived": True, **options})


def private_mongo(folder: Path, **options: Any) -> AbstractContextManager[Mongo]:
    """Run a server with MongoDB's protocol for one test."""
    return _running(Mongo, folder, options)


def private_valkey(folder: Path, **options: Any) -> AbstractContextManager[ValkeyServer]:
    """Run a Valkey for one test."""
    return _running(ValkeyServer, folder, options)


def private_server(kind: Any, folder: Path, **options: Any) -> AbstractContextManager[Any]:
    """Run a server of another *kind* for one test."""
    return _running(kind, folder, options)


def three_brokers(folder: Path) -> AbstractContextManager[ThreeBrokers]:
    """Run a Kafka of three brokers for one test: slow, and a gigabyte."""
    return _running(ThreeBrokers, folder, {})


def cannot_have(reason: str) -> NoReturn:
    """Skip the test, or let it fail where the run must not skip."""
    if os.environ.get("CODEPARK_REQUIRE_CLUSTER") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """End the shared servers; without this, they end when this process does."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is not None and not _is_worker(session.config):
        end_shared(factory.getbasetemp(), keep_data=exitstatus != 0)


def end_shared(root: Path, *, keep_data: bool = False) -> None:
    """End the servers that were shared under *root*, by the processes that keep them."""
    keepers = {file.parent: _identity(file) for file in root.glob("cluster-*/keeper.json")}
    for keeper in keepers.values():
        keeper.signal(signal.SIGTERM)  # all at once; then wait for each
    for folder, keeper in keepers.items():
        keeper.end(stretched(END_SECONDS))
        if not keep_data:
            shutil.rmtree(folder, ignore_errors=True)


def shared(kind: str, root: Path, owner: int) -> str:
    """Return the address of the server of *kind* under *root*; the first caller starts it.

    It ends when the process *owner* does.
    """
    folder = root / f"cluster-{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock"):
        if not (folder / "keeper.json").exists():
            _start_keeper(kind, folder, owner)
    return _address(kind, folder)


def _shared(kind: str, request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> str:
    base = factory.getbasetemp()
    if _is_worker(request.config):
        return shared(kind, base.parent, os.getppid())
    return shared(kind, base, os.getpid())


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _start_keeper(kind: str, folder: Path, owner: int) -> None:
    with (folder / "keeper.log").open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.support.keeper", kind, str(folder), str(owner)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    identity = Identity.of(keeper.pid)
    assert identity is not None, (folder / "keeper.log").read_text()
    keeper.returncode = 0  # it outlives this worker, which does not wait for it
    (folder / "keeper.json").write_text(json.dumps(asdict(identity)))


def _identity(file: Path) -> Identity:
    return Identity(**json.loads(file.read_text()))


def _address(kind: str, folder: Path) -> str:
    kept, keeper = folder / "kept.json", _identity(folder / "keeper.json")
    wait_for(lambda: kept.exists() or not keeper.alive(), stretched(KEEPER_SECONDS))
    if not kept.exists():
        pytest.fail(f"{kind} did not start: {(folder / 'keeper.log').read_text()[-2000:]}", pytrace=False)
    facts = json.loads(kept.read_text())
    if "missing" in facts:
        cannot_have(facts["missing"])
    if "error" in facts:
        pytest.fail(f"{kind} did not start: {facts['error']}", pytrace=False)
    return str(facts["address"])


@contextmanager
def _running(kind: Any, folder: Path, options: dict[str, Any]) -> Iterator[Any]:
    try:
        stretch_starts()
        server = kind(folder, **options).start()
    except MissingError as error:
        cannot_have(str(error))
    try:
        yield server
    finally:
        server.kill()  # its data is the test's


async def _delete_topics(address: str, prefix: str) -> None:
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(prefix)])
    finally:
        await admin.close()

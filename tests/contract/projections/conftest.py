"""The stores that every test of this suite runs against; STORES has one entry for each adapter."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from codepark.routed_store import Fallback, RoutedStore
from projections.mongodb import MongoDocumentStore, connect
from projections.sqlite import SQLiteDocumentStore
from projections.store import DocumentStore

from .samples import MODELS

NewStore = Callable[[], "contextmanager[DocumentStore]"]


@contextmanager
def sqlite_file(folder: Path, request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    store = SQLiteDocumentStore(folder / "documents.db")
    try:
        yield store
    finally:
        store.close()


@contextmanager
def sqlite_memory(folder: Path, request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    store = SQLiteDocumentStore(None)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def sqlite_without_cache(folder: Path, request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    """Read each document before it is changed, as after a restart."""
    store = SQLiteDocumentStore(folder / "documents.db", cache_bytes=0)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def routed(folder: Path, request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    """Read through the routes of a store, to documents of its own."""
    store = SQLiteDocumentStore(None)
    try:
        yield RoutedStore(store, {}, default=Fallback(store, store))
    finally:
        store.close()


@contextmanager
def mongodb(folder: Path, request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    yield from _mongodb(request)


@contextmanager
def mongodb_without_cache(folder: Path, request: pytest.FixtureRequest) -> Iterator[DocumentStore]:
    yield from _mongodb(request, cache_bytes=0)


def _mongodb(request: pytest.FixtureRequest, **options: int) -> Iterator[DocumentStore]:
    client = request.getfixturevalue("mongodb_client")
    name = f"test_{uuid.uuid4().hex[:12]}"
    try:
        yield MongoDocumentStore(client, name, **options)
    finally:
        client.drop_database(name)


@pytest.fixture(scope="session")
def mongodb_client(mongodb_uri):
    """One client for all stores of a test process, each of which has its own database."""
    with connect(mongodb_uri, pool=(0, 10)) as client:
        yield client


STORES = {
    "mongodb": mongodb,
    "mongodb-without-cache": mongodb_without_cache,
    "routed": routed,
    "sqlite-file": sqlite_file,
    "sqlite-memory": sqlite_memory,
    "sqlite-without-cache": sqlite_without_cache,
}


WITHOUT_CACHE = {name for name in STORES if name.endswith("-without-cache")}
"""They differ in how documents are changed; what only reads runs against the others."""

ONLY_READ = {"test_pages", "test_queries", "test_usage"}


def pytest_generate_tests(metafunc):
    """Run each test against the stores that differ in what it is about."""
    if {"new_store", "store"} & set(metafunc.fixturenames):
        only_reads = metafunc.module.__name__.rpartition(".")[2] in ONLY_READ
        names = STORES.keys() - (WITHOUT_CACHE if only_reads else set())
        metafunc.parametrize("new_store", sorted(names), indirect=True)


@pytest.fixture
def new_store(request, tmp_path):
    """Return a function that makes empty, prepared stores."""
    numbers = count()

    @contextmanager
    def new() -> Iterator[DocumentStore]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        with STORES[request.param](folder, request) as made:
            made.prepare(MODELS)
            yield made

    return new


@pytest.fixture
def store(new_store):
    with new_store() as made:
        yield made

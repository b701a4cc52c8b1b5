"""Stores on one database of a real server, as several processes have them."""

import pytest

from projections.mongodb import MongoDocumentStore, connect
from tests.contract.projections.samples import MODELS


@pytest.fixture
def client(mongodb_uri):
    with connect(mongodb_uri, pool=(0, 20)) as client:
        yield client


@pytest.fixture
def database(client, mongodb_name):
    return client[mongodb_name]


@pytest.fixture
def new_store(client, mongodb_name):
    """Return what opens the same database as another process would."""

    def new(models=MODELS, **options):
        store = MongoDocumentStore(client, mongodb_name, **options)
        store.prepare(models)
        return store

    return new

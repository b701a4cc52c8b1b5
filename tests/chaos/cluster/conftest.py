"""An installation for each test, over the servers that the whole run shares."""

from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from tests.support.installation import Installation
from tests.support.time_scale import stretched


@pytest.fixture
def installation(tmp_path, kafka, mongodb_uri, redis_url, topic_prefix) -> Iterator[Installation]:
    """An installation in which nothing runs yet; what runs at the end of the test must end in order."""
    made = Installation(
        tmp_path / "installation",
        kafka=kafka,
        mongodb_uri=mongodb_uri,
        redis_url=redis_url,
        prefix=topic_prefix,
    )
    with made:
        yield made
    with MongoClient(mongodb_uri, serverSelectionTimeoutMS=int(stretched(5_000))) as client:
        client.drop_database(topic_prefix.rstrip("."))

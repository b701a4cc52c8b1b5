"""Nodes hear what workers project, and read it from the store while Redis is unavailable."""

from pathlib import Path

import pytest
import redis

from projections.models import READ_MODELS
from projections.progress import Progress
from projections.redis.progress import ProgressListener, ProgressPublisher, batch_message
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Change, Checkpoint
from tests.integration.faust.conftest import eventually
from tests.support.cluster import private_valkey

pytestmark = pytest.mark.integration

MODELS = READ_MODELS[:1]


def move(store: SQLiteDocumentStore, sequence: int) -> dict[str, Checkpoint]:
    checkpoint = Checkpoint(sequence=sequence)
    store.apply([Change(model=MODELS[0].name, writes=(), checkpoint=checkpoint)])
    return {MODELS[0].name: checkpoint}


def test_messages_are_heard_and_lost_ones_made_up_for(tmp_path: Path) -> None:
    store, progress, touched = SQLiteDocumentStore(None), Progress(), []
    store.prepare(MODELS)
    with private_valkey(tmp_path / "valkey") as valkey:
        client = redis.Redis.from_url(valkey.address)
        publisher = ProgressPublisher(client, "t.")
        listener = ProgressListener(
            client,
            "t.",
            store,
            progress,
            lambda homes, _, __: touched.append(homes),
            poll_seconds=0.1,
            store_seconds=0.1,
        )
        listener.start()
        eventually(lambda: client.pubsub_numsub("t.projected")[0][1], "the subscription")

        checkpoints = move(store, 3)
        publisher.publish(batch_message("g", 0, 0, 3, ["a"], checkpoints))
        eventually(lambda: progress.sequence("projects") == 3, "the first message")
        checkpoints = move(store, 4)
        publisher.publish(batch_message("g", 0, 3, 4, ["b"], checkpoints))
        eventually(lambda: {"b"} in touched, "the second message")

        touched.clear()
        move(store, 7)
        eventually(lambda: progress.sequence("projects") == 7, "a step without a message")
        assert touched == [None]

        valkey.stop()
        move(store, 8)
        eventually(lambda: progress.sequence("projects") == 8, "the store alone")
        publisher.publish(batch_message("g", 0, 7, 8, [], checkpoints))  # logs the outage, and continues
        valkey.start()
        eventually(lambda: client.pubsub_numsub("t.projected")[0][1], "the subscription again")
        publisher.publish(batch_message("g", 0, 8, 9, ["c"], move(store, 9)))
        eventually(lambda: progress.sequence("projects") == 9, "messages again")
        listener.close()
        client.close()
    store.close()

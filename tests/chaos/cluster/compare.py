"""Compare what clients were told with what the topic holds, and the read models with a projection of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from codepark.profiles.cluster_connections import KEYS
from commands.keys import PersonalCipher
from commands.kms import LocalKms
from commands.mapper import EventMapper, RecordEvents
from commands.mongodb.keys import MongoKeyStore
from commands.position import parse_position
from commands.secrets import Secrets
from projections.insights_model import insights_model
from projections.model import ReadModel
from projections.models import READ_MODELS
from projections.mongodb.connection import connect, database_of
from projections.mongodb.store import MongoDocumentStore
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Checkpoint, DocumentStore
from streams.batch_projection import decode, project
from tests.chaos.cluster.topic import Part, Topic
from tests.chaos.cluster.writers import Told, Writers
from tests.support.documents import dump
from tests.support.inline_analyser import InlineAnalyser
from tests.support.insights import nothing_waits
from tests.support.installation import SECRET, Installation
from tests.support.server import eventually

PROJECTED_SECONDS = 60.0


def compare(
    installation: Installation, *loads: Writers, others: int = 0, before: Topic | None = None
) -> Topic:
    """Read the topic and compare; return it for what a test checks beyond that.

    *others* is how many commands came from elsewhere than from *loads*, since *before* where that is given.
    """
    topic = Topic(installation.environment)
    told = [each for load in loads for each in load.told]
    problems = [*topic.problems(), *unkept(topic, told)]
    assert not problems, problems[:5]
    unasked = set(topic.effects) - {each.command for each in told}
    if before is not None:
        for now, then in zip(topic.parts, before.parts, strict=True):
            assert now.chains[: len(then.chains)] == then.chains
        unasked -= set(before.effects)
    # What was prepared has no key; a refusal after a try without an outcome leaves that try open.
    open_ = sum(load.prepared + load.unsettled for load in loads)
    assert len(unasked) <= open_ + others, unasked
    return topic


def unkept(topic: Topic, answers: Sequence[Told]) -> list[Any]:
    """Return the answers that the history does not bear out, word for word."""
    commands = {name: (part, found) for part in topic.parts for name, found in part.commands.items()}
    found = []
    for told in answers:
        if told.command not in commands:
            found.append(("lost", told))
            continue
        part, records = commands[told.command]
        versions = [record.version for record in records if record.stream == told.stream]
        position, last = parse_position(told.position), records[-1]
        if max(versions, default=0) != told.version:
            found.append(("version", told, versions))
        if position.sequence(part.number) != last.sequence or not position.matches(last.chain, part.number):
            found.append(("position", told, last.sequence))
    return found


def compare_read_models(
    installation: Installation, mongodb_uri: str, topic: Topic, *, insights: bool = False
) -> None:
    """Wait until the workers have projected *topic*, and compare each document with our own projection."""
    models = (*READ_MODELS, insights_model(InlineAnalyser())) if insights else READ_MODELS
    database = database_name(installation.environment)
    with connect(mongodb_uri, pool=(0, 5)) as client:
        keys = MongoKeyStore(
            database_of(client, database)[KEYS], LocalKms(Secrets.from_base64(SECRET).master_key)
        )
        expected = projected(models, topic, EventMapper(PersonalCipher(keys)))
        found = MongoDocumentStore(client, database)
        found.prepare(models)
        for part in topic.parts:
            eventually(lambda part=part: _includes(found, part), seconds=PROJECTED_SECONDS)
        if insights:
            eventually(lambda: nothing_waits(found, len(topic.parts)), seconds=PROJECTED_SECONDS)
        assert found.dead_letters() == []
        for model in models:
            assert dumped(found, model) == dumped(expected, model), model.name
        expected.close()


def _includes(store: DocumentStore, part: Part) -> bool:
    return all(item.sequence >= len(part.records) for item in store.checkpoints(part.number).values())


def projected(models: Sequence[ReadModel], topic: Topic, mapper: EventMapper) -> DocumentStore:
    """Project the records of *topic* in this process."""
    store = SQLiteDocumentStore(None)
    store.prepare(models)
    for part in topic.parts:
        batch, last = decode(RecordEvents(mapper), part.records), len(part.records)
        store.apply([project(model, batch, Checkpoint(), last, part.number) for model in models])
    return store


def dumped(store: DocumentStore, model: ReadModel) -> dict[str, list[Any]]:
    """Return every document of *model*."""
    return {collection.name: list(dump(store, collection.name)) for collection in model.collections}


def database_name(environment: Mapping[str, str]) -> str:
    """Return the name of the installation's database."""
    return environment["CODEPARK_TOPIC_PREFIX"].rstrip(".")

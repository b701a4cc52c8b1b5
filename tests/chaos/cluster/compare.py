"""Compare what clients were told with what the topic holds, and the read models with a projection of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from codepark.cluster import KEYS
from commands.kafka.keys import MongoKeyStore
from commands.keys import PersonalCipher
from commands.mapper import EventMapper
from commands.position import parse_position
from commands.secrets import Secrets
from domain.record import Record
from insights.analyser import InlineAnalyser
from projections.insights_model import insights_model
from projections.model import ReadModel
from projections.models import READ_MODELS
from projections.mongodb.connection import connect, database_of
from projections.mongodb.store import MongoDocumentStore
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Checkpoint, DocumentStore
from streams.faust.projecting import Events
from streams.projecting import decode, project
from tests.chaos.cluster.topic import Topic
from tests.chaos.cluster.writers import Told, Writers
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
        assert [record.chain for record in topic.records[: len(before.records)]] == before.chains
        unasked -= set(before.effects)
    # What was prepared has no key; a refusal after a try without an outcome leaves that try open.
    open_ = sum(load.prepared + load.unsettled for load in loads)
    assert len(unasked) <= open_ + others, unasked
    return topic


def unkept(topic: Topic, answers: Sequence[Told]) -> list[Any]:
    """Return the answers that the history does not bear out, word for word."""
    commands, chains = topic.commands, {record.sequence: record.chain for record in topic.records}
    found = []
    for told in answers:
        records = commands.get(told.command)
        if not records:
            found.append(("lost", told))
            continue
        versions = [record.version for record in records if record.stream == told.stream]
        position, last = parse_position(told.position), records[-1].sequence
        if max(versions, default=0) != told.version:
            found.append(("version", told, versions))
        if position.sequence() != last or not position.matches(chains[last]):
            found.append(("position", told, last))
    return found


def compare_read_models(
    installation: Installation, mongodb_uri: str, records: Sequence[Record], *, insights: bool = False
) -> None:
    """Wait until the workers have projected *records*, and compare each document with our own projection."""
    models = (*READ_MODELS, insights_model(InlineAnalyser())) if insights else READ_MODELS
    database = database_name(installation.environment)
    with connect(mongodb_uri, pool=(0, 5)) as client:
        keys = MongoKeyStore(database_of(client, database)[KEYS], Secrets.from_base64(SECRET).master_key)
        expected = projected(models, records, EventMapper(PersonalCipher(keys)))
        found = MongoDocumentStore(client, database)
        found.prepare(models)
        last = records[-1].sequence
        eventually(
            lambda: all(item.sequence >= last for item in found.checkpoints().values()),
            seconds=PROJECTED_SECONDS,
        )
        assert found.dead_letters() == []
        for model in models:
            assert dumped(found, model) == dumped(expected, model), model.name
        expected.close()


def projected(models: Sequence[ReadModel], records: Sequence[Record], mapper: EventMapper) -> DocumentStore:
    """Project *records* in this process."""
    store = SQLiteDocumentStore(None)
    store.prepare(models)
    batch = decode(Events(mapper), records)
    store.apply([project(model, batch, Checkpoint(), records[-1].sequence) for model in models])
    return store


def dumped(store: DocumentStore, model: ReadModel) -> dict[str, list[Any]]:
    """Return every document of *model*."""
    return {collection.name: list(store.dump(collection.name)) for collection in model.collections}


def database_name(environment: Mapping[str, str]) -> str:
    """Return the name of the installation's database."""
    return environment["CODEPARK_TOPIC_PREFIX"].rstrip(".")

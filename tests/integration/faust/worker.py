"""A worker in a process of its own: `python -m tests.integration.faust.worker FACTS`."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import redis
from msgspec.structs import replace

from commands.kafka.settings import KafkaSettings
from commands.keys import PersonalCipher
from commands.kms import LocalKms
from commands.mapper import EventMapper
from commands.sqlite.keys import SQLiteKeyStore
from domain.event import Event
from domain.project.events import ProjectCreated
from domain.record import Record
from projections.model import ReadModel
from projections.models import READ_MODELS
from projections.mongodb.connection import connect
from projections.mongodb.store import MongoDocumentStore
from projections.writes import Write
from streams.faust.workers import run_insights, run_projections, run_public
from streams.public.pseudonyms import Pseudonym, keyed_pseudonyms
from tests.support.profile import SECRETS

POISON = "poison"


def open_store(uri: str, name: str) -> MongoDocumentStore:
    return MongoDocumentStore(connect(uri, pool=(1, 10)), name)


def poisoned(model: ReadModel, healed: Path) -> ReadModel:
    """Return *model* with a projector that fails on projects called `poison` until *healed* exists."""

    def project(event: Event, record: Record) -> Iterable[Write]:
        if isinstance(event, ProjectCreated) and event.name == POISON and not healed.exists():
            raise ValueError("this one is poison")
        return model.project(event, record)

    return replace(model, project=project)


def failing(pseudonym: Pseudonym, healed: Path) -> Pseudonym:
    """Return *pseudonym*, which fails until *healed* exists."""

    def fails(value: str) -> str:
        if not healed.exists():
            raise ValueError("there is no pseudonym")
        return pseudonym(value)

    return fails


def main(facts: dict[str, Any]) -> None:
    settings = KafkaSettings(
        bootstrap_servers=facts["servers"], prefix=facts["prefix"], partitions=facts["partitions"]
    )
    mapper = EventMapper(PersonalCipher(SQLiteKeyStore(Path(facts["keys"]), LocalKms(SECRETS.master_key))))
    store, client = open_store(*facts["mongodb"]), redis.Redis.from_url(facts["redis"])
    common = (client, settings.prefix)
    match facts["kind"]:
        case "projections":
            models = READ_MODELS
            if healed := facts.get("healed"):
                models = tuple(
                    poisoned(model, Path(healed)) if model.name == "projects" else model for model in models
                )
            run_projections(settings, store, mapper, models, *common, metrics_port=facts.get("metrics_port"))
        case "insights":
            run_insights(settings, store, mapper, *common)
        case "public":
            pseudonym = keyed_pseudonyms(SECRETS)
            if healed := facts.get("healed"):
                pseudonym = failing(pseudonym, Path(healed))
            run_public(settings, store, mapper, pseudonym, *common)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

"""Maintenance of the cluster profile: which workers are asked, and what is made of their answers."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import redis

from codepark.profiles import cluster_maintenance
from codepark.profiles.cluster_maintenance import ClusterMaintenance
from codepark.settings import ClusterSettings, RedisUrls
from commands.kafka.settings import KafkaSettings
from commands.secrets import Secrets
from projections.insights_model import INSIGHTS
from projections.store import DeadLetter
from streams.faust import rebuild, requests
from streams.faust.requests import RetryResult, WorkerUnavailableError

URL = "redis://channel/"
WORKER = "`codepark worker insights`"
SETTINGS = ClusterSettings(
    kafka=KafkaSettings(bootstrap_servers="kafka:9092", prefix="acme."),
    mongodb_uri="mongodb://mongo/",
    mongodb_ca_file=None,
    redis=RedisUrls(cache="redis://c/", sessions="redis://s/", queue="redis://q/", pubsub=URL),
    redis_ca_file="/ca.pem",
    secret=Secrets(bytes(32)),
)


def letter(model, partition):
    return DeadLetter(
        model=model, stream="project-a", sequence=1, topic="project.created", reason="r", partition=partition
    )


@pytest.fixture
def connections():
    letters = [letter("projects", 0), letter("files", 0), letter(INSIGHTS, 2), letter("public-topics", 1)]
    return SimpleNamespace(
        store=SimpleNamespace(dead_letters=lambda: letters),
        keys=SimpleNamespace(rewrap=lambda: 7),
        kms=SimpleNamespace(version=3),
        mapper="mapper",
        redis="redis",
    )


@pytest.fixture
def workers(monkeypatch):
    """The workers that are asked, and what each of them answers."""
    asked, answers = [], {}

    class Requests:
        def __init__(self, client, prefix, group, partition):
            asked.append((client, prefix, group, partition))
            self.answer = answers.get((group, partition), RetryResult(solved=1, left=2))

        def ask(self):
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    def connect(url, ca_file, *, seconds):
        assert (url, ca_file) == (URL, "/ca.pem")
        assert seconds > 60, "a client must not give up before the worker answers"
        return nullcontext("client")

    monkeypatch.setattr(requests, "RetryRequests", Requests)
    monkeypatch.setattr(cluster_maintenance, "connect", connect)
    return SimpleNamespace(asked=asked, answers=answers)


def test_each_worker_with_a_dead_letter_is_asked_once(connections, workers):
    totals = ClusterMaintenance(SETTINGS, connections).retry_dead_letters()
    assert totals == {"solved": 3, "left": 6, "reasons": []}
    assert workers.asked == [
        ("client", "acme.", "insights", 2),
        ("client", "acme.", "projections", 0),
        ("client", "acme.", "public", 1),
    ]


def test_dead_letters_of_a_model_that_no_worker_keeps_are_left_and_named(connections, workers):
    connections.store.dead_letters = lambda: [letter("forgotten", 0), letter("projects", 0)]
    totals = ClusterMaintenance(SETTINGS, connections).retry_dead_letters()
    assert (totals["solved"], totals["left"]) == (1, 3)
    assert totals["reasons"] == ["no worker keeps the read model forgotten any more"]


def test_without_dead_letters_no_worker_is_asked(connections, workers):
    connections.store.dead_letters = list
    assert ClusterMaintenance(SETTINGS, connections).retry_dead_letters() == {
        "solved": 0,
        "left": 0,
        "reasons": [],
    }
    assert workers.asked == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            WorkerUnavailableError("no worker answered within 60 s"),
            f"{WORKER} does not answer for partition 2: no worker answered within 60 s",
        ),
        (
            redis.ConnectionError("refused"),
            f"{WORKER} does not answer for partition 2: refused",
        ),
        (
            RetryResult(solved=0, left=1, error="no disk"),
            f"{WORKER} could not retry: no disk",
        ),
    ],
)
def test_a_worker_that_cannot_is_named_and_the_others_retry(connections, workers, answer, sentence):
    workers.answers[("insights", 2)] = answer
    totals = ClusterMaintenance(SETTINGS, connections).retry_dead_letters()
    assert totals == {"solved": 2, "left": 5, "reasons": [sentence]}


def test_the_keys_are_rewrapped_with_the_newest_line(connections):
    rotated = ClusterMaintenance(SETTINGS, connections).rotate_master_key()
    assert rotated == {"version": 3, "wrapped": 7}


def test_a_rebuild_reads_kafka_and_tells_the_nodes(connections, monkeypatch):
    calls = []

    def rebuild_from_kafka(*arguments, **options):
        calls.append((arguments, options))
        return 9

    monkeypatch.setattr(rebuild, "rebuild_from_kafka", rebuild_from_kafka)
    advanced, model = object(), object()
    assert ClusterMaintenance(SETTINGS, connections).rebuild(model, advanced) == 9
    ((arguments, options),) = calls
    assert arguments == (SETTINGS.kafka, connections.store, "mapper", model)
    assert options["progress"] is advanced
    assert options["publisher"]._channel == "acme.projected"

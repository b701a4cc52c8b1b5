"""`codepark worker`, `topics` and `migrate`, as far as they go without servers."""

import base64
import socket

import pytest

from codepark import workers
from codepark.cli import worker
from codepark.cli.failures import CommandError
from commands.kafka.protocol.transport import BrokerUnavailableError

CLUSTER = {
    "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "CODEPARK_MONGODB_URI": "mongodb://127.0.0.1:1/",
    "CODEPARK_REDIS_URL": "redis://127.0.0.1:1/",
    "CODEPARK_SECRET_KEY": base64.b64encode(bytes(range(32))).decode(),
}


@pytest.fixture
def cluster(monkeypatch):
    for name, value in CLUSTER.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("arguments", [("worker", "projections"), ("worker", "insights"), ("topics", "list")])
def test_the_cluster_profile_is_needed(run, arguments):
    sentence = "this needs the cluster profile: set CODEPARK_KAFKA_BOOTSTRAP_SERVERS"
    assert run(*arguments).sentence == sentence


@pytest.mark.parametrize("missing", ["CODEPARK_MONGODB_URI", "CODEPARK_REDIS_URL", "CODEPARK_SECRET_KEY"])
def test_a_setting_that_is_missing_is_named(run, cluster, monkeypatch, missing):
    monkeypatch.delenv(missing)
    assert missing in run("worker", "public").sentence


@pytest.mark.parametrize(
    ("kind", "function"), [("projections", "project"), ("insights", "analyse"), ("public", "publish")]
)
def test_each_worker_runs_with_its_settings(run, cluster, monkeypatch, kind, function):
    calls = []
    monkeypatch.setattr(workers, function, lambda settings, port: calls.append((settings, port)))
    assert run("worker", kind, "--metrics-port", 9_000).status == 0
    ((settings, port),) = calls
    assert (settings.kafka.bootstrap_servers, port) == ("127.0.0.1:1", 9_000)


@pytest.mark.parametrize("kind", ["projections", "insights", "public"])
def test_metrics_need_a_port_that_is_free(run, cluster, monkeypatch, kind):
    for function in ("project", "analyse", "publish"):
        monkeypatch.setattr(workers, function, lambda *_: pytest.fail("it was started"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("worker", kind, "--metrics-port", taken.getsockname()[1])
    assert (ended.status, ended.sentence.startswith("cannot listen on 127.0.0.1:")) == (1, True)
    assert "another with --metrics-port" in ended.sentence
    assert run("worker", kind, "--metrics-port", 70_000).status == 2


def test_the_topics_are_listed(run, cluster, monkeypatch):
    async def partitions(settings):
        assert settings.bootstrap_servers == "127.0.0.1:1"
        return {"codepark.events": 3, "codepark.public": 1}

    monkeypatch.setattr(worker, "_partitions", partitions)
    listed = run("topics", "list").output
    assert "codepark.events" in listed
    assert run("topics", "list", "--json").document["topics"][0] == {
        "name": "codepark.events",
        "partitions": 3,
    }


def test_the_topics_that_were_made_are_named(run, cluster, monkeypatch):
    async def create(_settings):
        return ["codepark.events", "codepark.dead-letters"]

    monkeypatch.setattr(worker, "_create", create)
    assert run("topics", "create").output == "codepark.events\ncodepark.dead-letters\n"
    assert run("topics", "create", "--json").document == {
        "topics": ["codepark.events", "codepark.dead-letters"]
    }


LINKABLE = ["codepark.public.account.v1", "codepark.public.file.v1"]


@pytest.mark.parametrize("arguments", [(), ("--delete-linkable",)])
def test_topics_that_link_a_persons_work_are_deleted_only_if_the_operator_agrees(
    run, cluster, monkeypatch, arguments
):
    deleted = []

    async def create(_settings):
        return ["codepark.public.file.v2", *LINKABLE]

    async def delete(_settings, names):
        deleted.extend(names)

    monkeypatch.setattr(worker, "_create", create)
    monkeypatch.setattr(worker, "_delete", delete)
    listed = run("topics", "create", *arguments, "--json").document["topics"]
    assert deleted == (LINKABLE if arguments else [])
    assert [name for name in listed if name in LINKABLE] == ([] if arguments else LINKABLE)


def test_a_broker_that_is_silent_is_a_sentence():
    with pytest.raises(CommandError, match="no broker"), worker._broker_errors():
        raise BrokerUnavailableError("no broker answers")


class TestMigrate:
    def test_where_is_mongodb(self, run):
        for command in ("apply", "rollback"):
            sentence = "where is MongoDB? Set CODEPARK_MONGODB_URI or give --uri"
            assert run("migrate", command).sentence == sentence

    def test_an_embedded_installation_has_nothing_to_migrate(self, run, installation):
        ended = run("migrate", "status", "--data", installation)
        assert ended.status == 0
        assert "its read models are in SQLite, and there is nothing to migrate" in ended.output
        document = run("migrate", "status", "--data", installation, "--json").document
        assert document == {"migrations": [], "profile": "embedded"}

    def test_at_least_one_is_undone(self, run):
        sentence = "the number of migrations to undo is at least 1"
        assert run("migrate", "rollback", 0, "--uri", "mongodb://127.0.0.1:1/").sentence == sentence

    def test_a_module_is_written(self, run, tmp_path):
        ended = run("migrate", "create", "Add things", "--folder", tmp_path)
        assert ended.output == f"fill in {tmp_path / '0001_add_things.py'}\n"
        second = run("migrate", "create", "More", "--folder", tmp_path, "--json").document
        assert second == {"path": str(tmp_path / "0002_more.py")}

    def test_a_name_that_is_none(self, run, tmp_path):
        assert "letter" in run("migrate", "create", "1", "--folder", tmp_path).sentence

    def test_a_prefix_that_cannot_be_used(self, run, monkeypatch):
        monkeypatch.setenv("CODEPARK_TOPIC_PREFIX", "a b")
        assert "CODEPARK_TOPIC_PREFIX" in run("migrate", "status", "--uri", "mongodb://127.0.0.1:1/").sentence


def test_the_doctor_names_each_server_that_does_not_answer(run, cluster, tmp_path):
    ended = run("doctor", "--json", "--data", tmp_path / "data")
    assert ended.status == 1
    findings = {finding["part"]: finding for finding in ended.document["findings"]}
    for server in ("Kafka", "MongoDB", "Redis"):
        assert not findings[server]["ok"]
        assert "does not answer" in findings[server]["detail"]
    assert findings["event log"]["detail"] == "not examined: Kafka and MongoDB must answer first"
    assert not findings["event log"]["ok"]

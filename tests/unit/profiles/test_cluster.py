"""A node of the cluster profile while no server answers: it opens, is not ready, and ends in order."""

import asyncio
import builtins
import threading
import time

import pytest

from codepark.data_directory import DataDirectory
from codepark.profiles import cluster
from codepark.profiles.cluster import ClusterProfile
from codepark.profiles.opener import open_profile
from codepark.profiles.profile import Node
from codepark.settings import RedisUrls, Settings
from commands.environment import SettingsError
from commands.kafka.settings import KafkaSettings
from commands.log import LogCorruptError, LogUnavailableError
from commands.secrets import Secrets
from projections.insights_model import INSIGHTS
from projections.store import Checkpoint
from tests.support.records import a_record

REDIS = "redis://127.0.0.1:1/"


def settings(data, **changes):
    fields = {
        "kafka": KafkaSettings(bootstrap_servers="127.0.0.1:1", partitions=2),
        "mongodb_uri": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100",
        "redis": RedisUrls(cache=REDIS, sessions=REDIS, queue=REDIS, pubsub=REDIS),
        "secret": Secrets(bytes(range(32))),
    }
    return Settings(data=data, **fields | changes)


@pytest.fixture
def profile(tmp_path):
    profile = ClusterProfile(settings(tmp_path / "data"))
    yield profile
    profile.close()


@pytest.mark.parametrize("missing", ["kafka", "mongodb_uri", "redis", "secret"])
def test_half_a_cluster_opens_nothing(tmp_path, missing):
    with pytest.raises(SettingsError):
        ClusterProfile(settings(tmp_path / "data", **{missing: None}))
    assert not (tmp_path / "data").exists()


def test_settings_with_kafka_open_it(tmp_path):
    profile = open_profile(settings(tmp_path / "data"))
    try:
        assert isinstance(profile, ClusterProfile)
    finally:
        profile.close()


def test_without_the_packages_of_the_profile_the_sentence_says_how_to_install_them(tmp_path, monkeypatch):
    original = builtins.__import__

    def missing(name, *arguments):
        if name == "codepark.profiles.cluster":
            raise ModuleNotFoundError("No module named 'aiokafka'", name="aiokafka")
        return original(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(SettingsError, match=r"aiokafka is missing: .*pip install 'codepark\[cluster\]'"):
        open_profile(settings(tmp_path / "data"))


def test_it_is_one_node_of_several(profile):
    assert isinstance(profile, Node)
    assert len(profile.logs) == 2
    assert profile.scrubs == (), "MongoDB has the files"


def test_it_is_not_ready_before_the_log_is_read(profile):
    profile.start()
    assert profile.not_ready() == ["log"]


def test_it_is_not_ready_before_mongodb_is_prepared(profile, monkeypatch):
    monkeypatch.setattr(profile, "_unavailable", lambda: None)
    assert profile.not_ready() == ["read models"]
    profile._prepared.set()
    assert profile.not_ready() == [], "an empty log is included"


def test_it_is_ready_without_the_worker_of_insights(profile, monkeypatch):
    """A node that was restarted while that worker is absent, or behind, serves all the same."""
    monkeypatch.setattr(profile, "_unavailable", lambda: None)
    profile._prepared.set()
    profile._start_sequences = {0: 7, 1: 0}
    assert profile.not_ready() == list(profile.main_models)
    profile.progress.report(dict.fromkeys(profile.main_models, 7))
    assert profile.progress.sequence(INSIGHTS) == 0
    assert profile.not_ready() == []


def test_a_node_notes_the_projects_that_the_insights_lag_behind(profile, monkeypatch):
    home = next(f"home {n}" for n in range(100) if profile.logs.number_of(f"home {n}") == 1)
    written = a_record(home=home, topic="file.written", sequence=5)
    checkpoints = {INSIGHTS: Checkpoint(sequence=4)}
    monkeypatch.setattr(profile.store, "checkpoints", lambda partition: checkpoints)
    for log in profile.logs:
        records = [written] if log.number == 1 else []
        monkeypatch.setattr(log, "read", lambda after, *_, records=records: records)
        profile.progress.assume_touched(INSIGHTS, 9, log.number)
        profile.progress.report({INSIGHTS: 4}, partition=log.number)
    assert profile.insights_pending(["any"]) == {"any"}
    profile._note_unmeasured()
    other = next(f"other {n}" for n in range(100) if profile.logs.number_of(f"other {n}") == 1)
    assert profile.insights_pending([home, other]) == {home}


def test_commands_wait_for_kafka_only_so_long(profile, monkeypatch):
    monkeypatch.setattr(cluster, "_START_SECONDS", 0.2)
    with pytest.raises(LogUnavailableError):
        profile.start_for_commands()


def test_commands_wait_for_mongodb_only_so_long(profile, monkeypatch):
    monkeypatch.setattr(cluster, "_START_SECONDS", 0.2)
    monkeypatch.setattr(profile, "_unavailable", lambda: None)
    with pytest.raises(LogUnavailableError, match="MongoDB does not answer"):
        profile.start_for_commands()


def test_a_corrupt_log_is_not_waited_for(profile):
    profile._logs[1].partition.corrupt = "the chain is broken"
    began = time.monotonic()
    with pytest.raises(LogCorruptError, match="the chain is broken"):
        profile.start_for_commands()
    assert time.monotonic() - began < 30


def test_the_preparation_is_tried_until_mongodb_answers(profile, monkeypatch):
    attempts, followed = [], threading.Event()

    def prepare(models):
        attempts.append(models)
        if len(attempts) < 3:
            raise cluster.StoreUnavailableError("no primary")

    monkeypatch.setattr(cluster, "_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(profile.store, "prepare", prepare)
    monkeypatch.setattr(profile._follower, "start", followed.set)
    profile._prepare()
    assert attempts == [profile.models] * 3
    assert followed.is_set()
    assert profile._prepared.is_set()


def test_closing_gives_the_directory_back_and_ends_its_threads(tmp_path):
    before = set(threading.enumerate())
    profile = ClusterProfile(settings(tmp_path / "data"))
    profile.start()
    profile.close()
    DataDirectory(tmp_path / "data").hold().release()
    deadline = time.monotonic() + 30
    while _ours(before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _ours(before) == set()


def _ours(before):
    """Return the names of the threads that were started since, without those of the drivers."""
    names = {thread.name for thread in set(threading.enumerate()) - before}
    return {name for name in names if not name.startswith(("pymongo", "asyncio"))}


def test_a_start_that_fails_gives_the_directory_back(tmp_path, monkeypatch):
    def failing(*_arguments, **_options):
        raise OSError("no thread can be started")

    monkeypatch.setattr(cluster, "ReplicaAnswers", failing)
    with pytest.raises(OSError, match="no thread"):
        ClusterProfile(settings(tmp_path / "data"))
    DataDirectory(tmp_path / "data").hold().release()


def test_answers_are_forgotten_here_even_while_redis_is_unavailable(profile):
    profile.forget_answers()


def test_the_connections_to_other_nodes_are_closed_in_the_loop(profile):
    async def run():
        profile.bind(asyncio.get_running_loop())
        await profile.disconnect()

    asyncio.run(run())


def test_files_make_work_for_the_insights_in_their_partition(profile):
    from tests.support.partitions import memory_logs

    logs = memory_logs(2)
    record = logs[1].add("a home", 1, topic="file.written")
    profile._note_files([record], partition=1)
    assert profile.progress.needed("insights", "a home", 5, 1) == 1
    assert profile.progress.needed("insights", "a home", 5, 0) == 0

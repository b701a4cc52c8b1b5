"""Workers over three partitions make the read models that a projection in this process makes."""

import signal
from itertools import islice
from pathlib import Path

import pytest
from uuid_utils import uuid7

from commands.bus import accepted
from commands.intake import CommandMetadata
from commands.kafka.node.event_log import KafkaEventLog
from commands.kafka.settings import KafkaSettings
from commands.outcomes import Refused
from domain.account.commands import RegisterAccount
from streams.faust.requests import RetryRequests
from tests.integration.faust.conftest import (
    KafkaCommands,
    WorkerCluster,
    rebuild_under_load,
    write_history,
)
from tests.support.profile import BOB
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(kafka: str, topic_prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka, prefix=topic_prefix, partitions=3)


def test_a_worker_keeps_every_partition(cluster: WorkerCluster) -> None:
    write_history(cluster)
    store = cluster.store()
    cluster.worker()
    cluster.assert_agrees(store)
    assert all(log.tip().sequence > 0 for log in cluster.node.logs)
    write_history(cluster, 10)
    cluster.assert_agrees(store)


def test_two_workers_share_the_partitions_and_one_takes_over(cluster: WorkerCluster) -> None:
    store = cluster.store()
    cluster.worker()
    second = cluster.worker()
    write_history(cluster, 20)
    cluster.caught_up(store)
    second.send_signal(signal.SIGKILL)
    second.wait()
    write_history(cluster, 20)
    cluster.assert_agrees(store)


def test_a_rebuild_reads_every_partition_while_the_worker_goes_on(cluster: WorkerCluster) -> None:
    rebuild_under_load(cluster, events=42)  # thirty projects, six renamed, six files
    switched = [line for line in cluster.output().splitlines() if "a model was switched" in line]
    words = {word for line in switched for word in line.split()}
    assert {f"partition={number}" for number in range(3)} <= words, (
        "the driver of each partition learns of it"
    )


def test_dead_letters_are_retried_in_the_partition_that_has_them(
    cluster: WorkerCluster, tmp_path: Path
) -> None:
    healed, node = tmp_path / "healed", cluster.node
    store = cluster.store()
    cluster.worker(healed=str(healed))
    bad = [node.project("poison") for _ in range(12)]
    partitions = {node.logs.number_of(project) for project in bad}
    assert len(partitions) > 1
    cluster.caught_up(store)
    dead_letters = store.dead_letters("projects")
    assert sorted(letter.stream for letter in dead_letters) == sorted(f"project-{project}" for project in bad)
    assert {letter.partition for letter in dead_letters} == partitions
    healed.touch()
    solved = 0
    for partition in sorted(partitions):
        requests = RetryRequests(cluster.redis, cluster.settings.prefix, "projections", partition)
        result = requests.ask(timeout=stretched(30))
        assert (result.left, result.error) == (0, None)
        solved += result.solved
        assert partition not in {letter.partition for letter in store.dead_letters("projects")}
    assert solved == len(bad)
    cluster.assert_agrees(store)


def test_a_command_may_look_at_an_account_of_another_partition(
    cluster: WorkerCluster, tmp_path: Path
) -> None:
    """Also at one that another node registered a moment ago."""
    node, folder = cluster.node, tmp_path / "other"
    folder.mkdir()
    other = KafkaCommands(folder, cluster.settings, keys=cluster.path)
    try:
        projects = (node.project(str(number)) for number in range(200))  # chance decides where one belongs
        elsewhere = list(islice((p for p in projects if node.logs.of(p) is not node.log), 6))
        assert elsewhere
        node.thread.run(_stop_following(node.log))  # so that the node learns of an account only where it asks
        for number, project in enumerate(elsewhere):
            account = str(uuid7())
            claims = {f"{kind}_claim": other.intake.claim(kind, f"{number}") for kind in ("email", "name")}
            register = RegisterAccount(
                account_id=account, email=f"{number}@x", name=f"n{number}", password_hash="h", **claims
            )
            accepted(other.outcomes(other.intake.submit(register, None, CommandMetadata(actor=BOB)))[0])
            node.do("collaborator.set", target=project, account_id=account, role="viewer")
            unknown = node.submission(
                "collaborator.set", target=project, account_id=str(uuid7()), role="viewer"
            )
            refused = node.outcomes(unknown)[0]
            assert isinstance(refused, Refused)
            assert refused.refusal.specific_code == "account_not_found"
    finally:
        other.close()


async def _stop_following(log: KafkaEventLog) -> None:
    tail = log.partition._following
    assert tail is not None
    tail.cancel()

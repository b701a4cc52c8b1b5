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
from projections.models import READ_MODELS
from streams.faust.rebuild import rebuild_from_kafka
from streams.faust.requests import RetryRequests
from tests.integration.faust.conftest import KafkaCommands, Load, Part, assert_equal
from tests.integration.faust.test_projecting import write_history
from tests.support.profile import BOB
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(kafka: str, topic_prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka, prefix=topic_prefix, partitions=3)


def test_a_worker_keeps_every_partition(part: Part) -> None:
    write_history(part)
    store = part.store()
    part.worker()
    part.caught_up(store)
    assert all(log.tip().sequence > 0 for log in part.node.logs)
    assert_equal(store, part.expected())
    write_history(part, 10)
    part.caught_up(store)
    assert_equal(store, part.expected())


def test_two_workers_share_the_partitions_and_one_takes_over(part: Part) -> None:
    store = part.store()
    part.worker()
    second = part.worker()
    write_history(part, 20)
    part.caught_up(store)
    second.send_signal(signal.SIGKILL)
    second.wait()
    write_history(part, 20)
    part.caught_up(store)
    assert_equal(store, part.expected())


def test_a_rebuild_reads_every_partition_while_the_worker_goes_on(part: Part) -> None:
    store = part.store()
    part.worker()
    write_history(part, 30)
    part.caught_up(store)
    own = part.store()
    seen: list[tuple[int, ...]] = []
    load = Load(part)
    for number in range(4):
        events = rebuild_from_kafka(
            part.settings,
            own,
            part.node.mapper,
            READ_MODELS[number % 2],
            progress=lambda *done: seen.append(done),
        )
        assert events >= 42  # thirty projects, six renamed, six files
        assert seen[-1][0] >= seen[-1][1]
    load.end()
    part.caught_up(own)
    assert_equal(own, part.expected())
    switched = [line for line in part.output().splitlines() if "a model was switched" in line]
    assert {f"partition={number}" for number in range(3)} <= {
        word for line in switched for word in line.split()
    }, "every partition's driver is told"


def test_dead_letters_are_retried_in_the_partition_that_has_them(part: Part, tmp_path: Path) -> None:
    healed, node = tmp_path / "healed", part.node
    store = part.store()
    part.worker(healed=str(healed))
    bad = [node.project("poison") for _ in range(12)]
    partitions = {node.logs.number_of(project) for project in bad}
    assert len(partitions) > 1
    part.caught_up(store)
    letters = store.dead_letters("projects")
    assert sorted(letter.stream for letter in letters) == sorted(f"project-{project}" for project in bad)
    assert {letter.partition for letter in letters} == partitions
    healed.touch()
    solved = 0
    for partition in sorted(partitions):
        requests = RetryRequests(part.redis, part.settings.prefix, "projections", partition)
        result = requests.ask(timeout=stretched(30))
        assert (result.left, result.error) == (0, None)
        solved += result.solved
        assert partition not in {letter.partition for letter in store.dead_letters("projects")}
    assert solved == len(bad)
    assert_equal(store, part.expected())


def test_a_command_may_look_at_an_account_of_another_partition(part: Part, tmp_path: Path) -> None:
    """Also at one that another node registered a moment ago."""
    node, folder = part.node, tmp_path / "other"
    folder.mkdir()
    other = KafkaCommands(folder, part.settings, keys=part.path)
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

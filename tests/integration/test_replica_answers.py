"""What a node answers of its own commands, from its log alone: also after more than it keeps in memory."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from codepark import replica_answers, replica_documents
from codepark.replica_answers import ReplicaAnswers
from commands.outcomes import Accepted
from commands.partitions import Logs
from commands.position import Position
from domain.record import Record
from projections.models import READ_MODELS
from projections.progress import NotCaughtUpError
from projections.sqlite.store import SQLiteDocumentStore
from tests.support.profile import ADA, Commands

FEW = 4


class Node(Commands):
    """Commands, and the answers about them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._foreign: list[Callable[[Sequence[Record]], None]] = []
        log: Any = self.log
        log.on_foreign = self._foreign.append  # no other process writes to it
        self.answers = ReplicaAnswers(Logs([log]), SQLiteDocumentStore(None), READ_MODELS)

    def name_and_version(self, command: Accepted, project: str) -> Any:
        """Return the name and version of *project* after *command*; None where the replica cannot tell."""

        async def answer() -> Any:
            self.answers.bind(asyncio.get_running_loop())
            return await self.answers.ask(command, lambda queries: queries.projects.get_bare(project, ADA))

        shown = asyncio.run(answer())
        return None if shown is None else (shown["name"], shown["version"])

    def replace_replica(self) -> None:
        """Tell that the replica is empty and read again."""
        for callback in self._foreign:
            callback([])

    def restart_answers(self) -> None:
        """Forget all documents, and what was appended, as after a start."""
        self.answers._pending.clear()
        self.answers._begin()

    def create(self, name: str) -> tuple[Accepted, str]:
        command = self.do("project.create", name=name)
        return command, command.stream.removeprefix("project-")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    running = Node(tmp_path)
    yield running
    running.close()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the node keep only a few events in memory that no answer needed."""
    monkeypatch.setattr(replica_answers, "_PENDING", FEW)


def test_a_command_is_answered_with_what_it_left(node: Node) -> None:
    command, project = node.create("first")
    assert node.name_and_version(command, project) == ("first", 1)
    changed = node.do("project.update", target=project, name="second")
    assert node.name_and_version(changed, project) == ("second", 2)


def test_a_command_that_changed_nothing_is_answered_too(node: Node) -> None:
    _, project = node.create("same")
    command = node.do("project.update", target=project, name="same")
    assert not command.changed
    assert node.name_and_version(command, project) == ("same", 1)


@pytest.mark.usefixtures("few")
def test_what_nobody_asked_about_is_read_again_when_somebody_does(node: Node) -> None:
    first, known = node.create("known")
    assert node.name_and_version(first, known) == ("known", 1)
    node.do("project.update", target=known, name="renamed")
    for number in range(2 * FEW):
        node.create(f"unasked {number}")
    last, project = node.create("last")
    assert node.name_and_version(last, project) == ("last", 1)
    assert node.name_and_version(first, known) == ("renamed", 2)


@pytest.mark.usefixtures("few")
def test_an_old_command_is_looked_up_in_the_log(node: Node) -> None:
    created = [node.create(f"project {number}") for number in range(3 * FEW)]
    for number, (command, project) in enumerate(created):
        assert node.name_and_version(command, project) == (f"project {number}", 1)
    for number, (command, project) in enumerate(created):
        assert node.name_and_version(command, project) == (f"project {number}", 1)


def test_a_project_that_is_begun_and_changed_before_any_question(node: Node) -> None:
    _, project = node.create("first")
    command = node.do("project.update", target=project, name="second")
    assert node.name_and_version(command, project) == ("second", 2)


@pytest.mark.usefixtures("large")
def test_a_project_with_too_many_events_is_left_to_the_read_models(node: Node) -> None:
    _, project = node.create("first")
    for number in range(FEW):
        command = node.do("project.update", target=project, name=f"n{number}")
    node.restart_answers()
    assert node.name_and_version(command, project) is None


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a project be too large with a few events."""
    monkeypatch.setattr(replica_answers, "_LARGEST_SUBJECT", FEW)


def test_after_a_restart_a_project_is_loaded_from_the_log(node: Node) -> None:
    _, project = node.create("first")
    command = node.do("project.update", target=project, name="second")
    node.restart_answers()
    assert node.name_and_version(command, project) == ("second", 2)


def test_a_replica_that_is_read_again_loses_its_answers_and_gets_them_back(node: Node) -> None:
    command, project = node.create("first")
    assert node.name_and_version(command, project) == ("first", 1)
    node.replace_replica()
    assert not node.answers._documents.has(project)
    assert node.name_and_version(command, project) == ("first", 1)


def test_more_memory_than_is_allowed_is_given_back(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    first, project = node.create("first")
    assert node.name_and_version(first, project) == ("first", 1)
    monkeypatch.setattr(replica_documents, "_MOST_EVENTS", 0)
    second, other = node.create("second")
    assert node.name_and_version(second, other) == ("second", 1)
    assert not node.answers._documents.has(project)


def test_what_the_replica_does_not_have_is_waited_for(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica_answers, "_WAIT_SECONDS", 0.05)
    command, project = node.create("first")
    ahead = structs.replace(command, position=Position.at(command.position.sequence(0) + 1, bytes(32), 0))
    with pytest.raises(NotCaughtUpError):
        node.name_and_version(ahead, project)


def test_many_questions_at_once_are_answered_alike(node: Node) -> None:
    created = [node.create(f"project {number}") for number in range(20)]

    async def answer() -> list[Any]:
        node.answers.bind(asyncio.get_running_loop())
        questions = [
            node.answers.ask(
                command, lambda queries, project=project: queries.projects.get_bare(project, ADA)
            )
            for command, project in created
        ]
        return await asyncio.gather(*questions)

    assert [shown["name"] for shown in asyncio.run(answer())] == [f"project {n}" for n in range(20)]

"""What a node answers of its own commands, from its log alone: also after more than it keeps in memory."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codepark import replica_answers
from codepark.replica_answers import ReplicaAnswers
from commands.outcomes import Accepted
from commands.partitions import Logs
from projections.models import READ_MODELS
from projections.sqlite.store import SQLiteDocumentStore
from tests.support.profile import ADA, Commands

FEW = 4


class Node(Commands):
    """Commands, and the answers about them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        log: Any = self.log
        log.on_foreign = lambda _: None  # nobody else writes to it
        self.answers = ReplicaAnswers(Logs([log]), SQLiteDocumentStore(None), READ_MODELS)

    def name_and_version(self, command: Accepted, project: str) -> Any:
        """Return the name and version of *project* after *command*; None where the replica cannot tell."""

        async def answer() -> Any:
            self.answers.bind(asyncio.get_running_loop())
            return await self.answers.ask(command, lambda queries: queries.projects.get_bare(project, ADA))

        shown = asyncio.run(answer())
        return None if shown is None else (shown["name"], shown["version"])

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

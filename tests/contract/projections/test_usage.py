"""What accounts own, by the read models in any store."""

import asyncio

import pytest

from commands.outcomes import Submission
from commands.position import START
from domain import quotas
from domain.actor import Actor, Role, Tier
from domain.file.commands import WriteFile
from domain.file.events import Encoding, FileDeleted, FileWritten
from domain.project.commands import SetCollaborator
from domain.project.events import (
    CollaboratorAdded,
    CollaboratorRole,
    ProjectCreated,
    ProjectDeleted,
    Visibility,
)
from domain.quotas import NOTHING, Amounts, Quotas
from projections.models import commits, files, projects
from projections.queries import usage as usage_module
from projections.queries.usage import Usage, UsageQueries
from projections.store import Change, Checkpoint
from read_api.gateway.quotas.guard import QuotaGuard
from tests.support.records import a_record

MODELS = (projects.MODEL, files.MODEL, commits.MODEL)


def created(id_, owner):
    return ProjectCreated(
        project_id=id_,
        owner_id=owner,
        name="n",
        description="",
        visibility=Visibility.PRIVATE,
        language=None,
    )


def written(project, path, size):
    return FileWritten(
        project_id=project,
        path=path,
        content="x",
        encoding=Encoding.UTF8,
        size=size,
        digest="d",
        commit=None,
    )


def deleted(project, path):
    return FileDeleted(project_id=project, path=path, commit=None)


class Projected:
    """A store, with the events that were projected into it."""

    def __init__(self, store):
        store.prepare(MODELS)
        self.store = store
        self.position = 0

    def project(self, *events):
        for event in events:
            self.position += 1
            record = a_record(sequence=self.position, version=self.position)
            for model in MODELS:
                writes = tuple(model.project(event, record))
                checkpoint = Checkpoint(sequence=self.position)
                self.store.apply(
                    [Change(model=model.name, writes=[(self.position, writes)], checkpoint=checkpoint)]
                )


@pytest.fixture
def projected(new_store):
    with new_store() as store:
        yield Projected(store)


def test_an_account_owns_its_projects_and_what_their_files_take_now(projected):
    projected.project(
        created("p", "ann"),
        created("q", "ann"),
        created("r", "bob"),
        written("p", "a", 10),
        written("p", "b", 20),
        written("q", "a", 5),
        written("r", "a", 1_000),
        written("p", "a", 7),
        deleted("p", "b"),
        CollaboratorAdded(project_id="q", account_id="bob", role=CollaboratorRole.VIEWER),
    )
    queries = UsageQueries(projected.store)
    assert queries.of("ann") == Usage(owned=Amounts(projects=2, files=2, bytes=12), collaborators=1)
    assert queries.of("bob") == Usage(owned=Amounts(projects=1, files=1, bytes=1_000), collaborators=0)
    assert queries.of("eve") == Usage(owned=NOTHING, collaborators=0)
    assert queries.sizes("p", ["a", "b", "c"]) == {"a": 7}
    assert not queries.has_commit("p", "abcd")


def test_a_deleted_project_takes_its_files_with_it(projected):
    projected.project(created("p", "ann"), written("p", "a", 10), ProjectDeleted(project_id="p"))
    queries = UsageQueries(projected.store)
    assert queries.of("ann") == Usage(owned=NOTHING, collaborators=0)
    assert queries.project("p") is None


def test_what_a_project_takes_is_kept_until_it_changes(projected):
    projected.project(created("p", "ann"), written("p", "a", 10))
    queries = UsageQueries(projected.store)
    assert queries.of("ann").owned.bytes == 10
    projected.project(written("p", "a", 30))
    assert queries.of("ann").owned.bytes == 10, "no other process has said that it changed"
    queries.touch({"p"})
    assert queries.of("ann").owned.bytes == 30
    projected.project(written("p", "a", 50))
    queries.touch(None)
    assert queries.of("ann").owned.bytes == 50


def test_many_projects_and_files_are_read_in_parts(projected, monkeypatch):
    monkeypatch.setattr(usage_module, "_AT_ONCE", 2)
    names = [f"p{number}" for number in range(5)]
    projected.project(*(created(name, "ann") for name in names), *(written(name, "a", 3) for name in names))
    queries = UsageQueries(projected.store)
    assert queries.of("ann").owned == Amounts(projects=5, files=5, bytes=15)
    projected.project(written("p0", "b", 1), written("p0", "c", 2))
    assert queries.sizes("p0", ["a", "b", "c", "d"]) == {"a": 3, "b": 1, "c": 2}


class Reading:
    """Asks the queries of a store as the edge does: in a thread."""

    def __init__(self, usage):
        self.usage = usage

    async def included(self, position, seconds):
        assert position == START, "no command was carried out"

    async def look(self, ask):
        return await asyncio.to_thread(ask, self)

    async def read(self, ask, *, large):
        assert large
        return await self.look(ask)


def test_what_a_store_says_decides_about_a_quota(projected, monkeypatch):
    most = Amounts(projects=2, files=3, bytes=100)
    monkeypatch.setitem(quotas.QUOTAS, Tier.FREE, Quotas(most, collaborators=1))
    usage = UsageQueries(projected.store)
    guard = QuotaGuard(Reading(usage), lambda _: Tier.FREE, lambda _: False)
    ann = Actor(id="ann", roles=frozenset({Role.USER}))

    def project(*events):
        projected.project(*events)
        usage.touch({event.project_id for event in events})

    async def is_admitted(command):
        submission = Submission(command=command, command_id="i", actor=ann)
        admission = await guard.admit([submission])
        admission.end()
        return not admission.refusals

    def write(path, size):
        return WriteFile(project_id="p", path=path, content="x" * size, encoding=Encoding.UTF8)

    def collaborator(id_):
        return SetCollaborator(project_id="p", account_id=id_, role=CollaboratorRole.VIEWER)

    async def run():
        project(created("p", "ann"), written("p", "a", 40), written("p", "b", 40))
        assert await is_admitted(write("a", 60))
        project(written("p", "a", 60))
        assert not await is_admitted(write("b", 41))
        assert await is_admitted(write("b", 40))
        assert await is_admitted(write("c", 0))
        project(written("p", "c", 0))
        assert not await is_admitted(write("d", 0))
        project(deleted("p", "c"))
        assert await is_admitted(write("d", 0))
        assert await is_admitted(collaborator("bob"))
        project(CollaboratorAdded(project_id="p", account_id="bob", role=CollaboratorRole.VIEWER))
        assert await is_admitted(collaborator("bob"))
        assert not await is_admitted(collaborator("eve"))

    asyncio.run(run())

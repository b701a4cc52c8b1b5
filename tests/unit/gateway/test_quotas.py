"""How much commands add, and what is known of an account between two measurements."""

import asyncio
import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.outcomes import Accepted, Submission
from commands.position import Position
from domain.actor import Actor, Role, Tier
from domain.commit.commands import Change, RecordCommit
from domain.commit.events import ChangeStatus
from domain.errors import Refusal
from domain.file.commands import DeleteFile, WriteFile
from domain.file.events import Encoding
from domain.project.commands import CreateProject, DeleteProject, SetCollaborator
from domain.project.events import CollaboratorRole, Visibility
from domain.quotas import NOTHING, Amounts, Payer, Quotas
from projections.queries.usage import Usage
from projections.store import StoreUnavailableError
from read_api.gateway.quotas.growth import GROWING, growth_of, most_growth, paths_of, sizes_after
from read_api.gateway.quotas.guard import QuotaGuard
from read_api.gateway.quotas.ledger import Account, Ledger
from read_api.gateway.quotas.survey import Survey
from read_api.gateway.quotas.tally import Group, tally

OWNER = Actor(id="owner", roles=frozenset({Role.USER}))
STRANGER = Actor(id="stranger", roles=frozenset({Role.USER}))
CREATE = CreateProject(
    project_id="new", name="n", description="", visibility=Visibility.PRIVATE, language=None
)


def write(path="a", content: str | None = "x", encoding: Encoding | None = None):
    return WriteFile(project_id="p", path=path, content=content, encoding=encoding)


def commit(*changes: Change):
    return RecordCommit(
        project_id="p",
        sha="abcd",
        parents=(),
        message="m",
        author_id="a",
        author_name="n",
        author_email=None,
        authored_at="2024-01-01T00:00:00Z",
        changes=changes,
        complete=True,
        fingerprint="00" * 16,
    )


def change(path, status=ChangeStatus.MODIFIED, content: str | None = "x"):
    return Change(path=path, status=status, content=None if status is ChangeStatus.DELETED else content)


TEXTS = st.one_of(st.none(), st.text(max_size=20), st.text("aé漢😀", max_size=20))
PATHS = st.sampled_from(["a", "b", "c", "d"])


def test_only_some_commands_grow():
    collaborator = SetCollaborator(project_id="p", account_id="a", role=CollaboratorRole.VIEWER)
    delete = DeleteFile(project_id="p", path="a")
    assert {type(each) for each in (CREATE, write(), commit(), collaborator)} == GROWING
    assert (type(delete) in GROWING, most_growth(delete), paths_of(delete)) == (False, NOTHING, ())
    assert most_growth(CREATE) == Amounts(projects=1)


@given(st.lists(st.tuples(PATHS, TEXTS, st.booleans()), unique_by=lambda each: each[0]), st.booleans())
def test_no_command_adds_more_than_it_may_at_most(changes, base):
    """The bound is what lets most commands pass without a look at the read models."""
    status = {True: ChangeStatus.DELETED, False: ChangeStatus.MODIFIED}
    command = commit(*(change(path, status[gone], text) for path, text, gone in changes))
    before = dict.fromkeys("ab", 5) if base else {}
    most, exact = most_growth(command), growth_of(sizes_after(command), before)
    assert (exact.files <= most.files, exact.bytes <= most.bytes) == (True, True)


@given(st.binary(max_size=30))
def test_base64_counts_by_what_it_stands_for(data):
    command = write(content=base64.b64encode(data).decode(), encoding=Encoding.BASE64)
    exact = growth_of(sizes_after(command), {})
    assert exact == Amounts(files=1, bytes=len(data))
    assert most_growth(command).bytes >= len(data)


@pytest.mark.parametrize(
    "command", [write(content="!", encoding=Encoding.BASE64), write("../a"), commit(change("a//b"))]
)
def test_a_path_or_content_that_is_none_is_left_to_the_decider(command):
    with pytest.raises(Refusal):
        sizes_after(command)

    async def run():
        assert await admitted(guard(ReadModels(Amounts(files=10_000))), command) == {}

    asyncio.run(run())


def group(*commands, **most):
    quotas = Quotas(Amounts(**{"projects": 9, "files": 9, "bytes": 99} | most), collaborators=2)
    submissions = [Submission(command=each, command_id="i", actor=OWNER) for each in commands]
    return Group(Payer("owner", Tier.FREE, quotas), list(range(len(commands))), submissions)


def survey(*commands, **before):
    return Survey([sizes_after(each) for each in commands], {"p": before})


def test_a_file_that_a_batch_writes_twice_is_one_file():
    commands = [write("a", "x" * 10), write("a", "x" * 30), write("a", "x" * 20)]
    verdict = tally(group(*commands, files=1, bytes=30), survey(*commands), NOTHING)
    assert (verdict.refusals, verdict.growth) == ({}, Amounts(files=1, bytes=30))


def test_a_file_that_shrinks_makes_no_room_for_the_next_command():
    """It may be refused later: for its version, or because its sender may not write."""
    commands = [write("a", ""), write("b", "x" * 10)]
    verdict = tally(group(*commands, bytes=10), survey(*commands, a=10), Amounts(1, 1, 10))
    assert list(verdict.refusals) == [1]
    assert verdict.short


def test_what_is_refused_takes_no_room():
    commands = [write("a", "x" * 20), write("b", "x" * 10)]
    verdict = tally(group(*commands, bytes=10), survey(*commands), NOTHING)
    assert (list(verdict.refusals), verdict.growth) == ([0], Amounts(files=1, bytes=10))


def test_a_measurement_counts_what_it_may_not_include():
    account, one = Account(), Amounts(files=1)
    account.admit(one)
    mark = account.unmeasured()
    account.admit(one)
    account.settle(one)  # while it was measured: the measurement may have missed it
    account.measured(Amounts(files=5), mark, 1.0)
    assert account.used == Amounts(files=7)
    assert not account.idle.is_set()
    account.settle(one)
    assert account.idle.is_set()
    account.measured(Amounts(files=7), account.unmeasured(), 2.0)
    assert account.used == Amounts(files=7)


def test_what_others_may_add_counts_only_until_the_next_measurement():
    account = Account()
    account.assume(Amounts(files=50))
    assert (account.used.files, account.pending) == (50, NOTHING)
    account.measured(Amounts(files=3), account.unmeasured(), 1.0)
    assert account.used == Amounts(files=3)


def test_a_ledger_forgets_the_oldest_account(monkeypatch):
    monkeypatch.setattr("read_api.gateway.quotas.ledger._MOST_ACCOUNTS", 2)
    ledger = Ledger()
    first = ledger.account("a")
    assert ledger.account("a") is first
    ledger.account("b")
    ledger.account("c")
    assert ledger.account("a") is not first


class ReadModels:
    """Query objects over one project `p` of the owner; counts the questions, or is unavailable."""

    def __init__(self, owned=NOTHING, visibility="private"):
        self.owned = owned
        self.document = {"ownerId": "owner", "visibility": visibility, "collaborators": []}
        self.questions: list[str] = []
        self.available = True
        self.usage = self

    def project(self, _):
        self.questions.append("project")
        return self.document

    def of(self, _):
        self.questions.append("of")
        return Usage(owned=self.owned, collaborators=0)

    def sizes(self, _, paths):
        self.questions.append("sizes")
        return {path: 1 for path in paths if path == "old"}

    def has_commit(self, _, sha):
        return False

    async def included(self, position, seconds):
        self.waited_for = position

    async def look(self, ask):
        if not self.available:
            self.questions.append("unavailable")
            raise StoreUnavailableError("away")
        return ask(self)

    async def read(self, ask, *, large):
        assert large, "it is read in a thread"
        return await self.look(ask)


def guard(models, recorded=()):
    return QuotaGuard(models, lambda _: Tier.FREE, lambda id_: id_ in recorded)


async def admitted(quotas, *commands, actor=OWNER, keyed=False):
    """Return the codes of the refusals by place, once the commands have ended."""
    submissions = [Submission(command=each, command_id="i", actor=actor, keyed=keyed) for each in commands]
    admission = await quotas.admit(submissions)
    admission.end()
    return {place: refusal.specific_code for place, refusal in admission.refusals.items()}


def test_after_the_first_command_an_account_with_room_is_not_looked_up_again():
    async def run():
        models = ReadModels()
        quotas = guard(models)
        for _ in range(50):
            assert await admitted(quotas, write()) == {}
        assert models.questions == ["project", "of"]

    asyncio.run(run())


def test_commands_that_add_nothing_are_not_looked_up_at_all():
    async def run():
        models = ReadModels(Amounts(files=10**9))
        assert await admitted(guard(models), DeleteFile(project_id="p", path="a")) == {}
        assert models.questions == []

    asyncio.run(run())


def test_what_strangers_send_takes_no_room_from_the_owner():
    """They keep commands in flight for somebody else's project, as large as they may be."""

    async def run():
        models = ReadModels(Amounts(files=9_990), visibility="public")
        quotas = guard(models)
        await admitted(quotas, write())
        large = [Submission(command=write(f"s{n}"), command_id="i", actor=STRANGER) for n in range(500)]
        attack = await quotas.admit(large)
        assert attack.refusals == {}, "the decider refuses them, and says why"
        assert await admitted(quotas, write("new")) == {}
        attack.end()

    asyncio.run(run())


def test_a_stranger_learns_nothing_of_a_full_account():
    async def run():
        quotas = guard(ReadModels(Amounts(files=10_000)))
        assert await admitted(quotas, write("new"), actor=STRANGER) == {}
        assert await admitted(quotas, write("new")) == {0: "quota_exceeded"}
        assert await admitted(quotas, write("old", "xx")) == {}

    asyncio.run(run())


def test_a_command_that_the_log_has_is_answered_from_there():
    async def run():
        models = ReadModels(Amounts(projects=100))
        assert await admitted(guard(models, recorded={"i"}), CREATE, keyed=True) == {}
        assert await admitted(guard(models), CREATE, keyed=True) == {0: "quota_exceeded"}

    asyncio.run(run())


@pytest.mark.parametrize("succeeds", [True, False])
def test_what_is_in_flight_counts_until_it_has_ended(succeeds):
    async def run():
        models = ReadModels(Amounts(projects=99))
        quotas = guard(models)
        submission = Submission(command=CREATE, command_id="i", actor=OWNER)
        first = await quotas.admit([submission])
        assert not first.refusals
        second = asyncio.create_task(quotas.admit([submission]))
        await asyncio.sleep(0)
        assert not second.done(), "whether there is room is not known yet"
        models.owned = Amounts(projects=99 + succeeds)
        first.end()
        assert bool((await second).refusals) is succeeds

    asyncio.run(run())


def test_a_measurement_includes_what_was_carried_out_here_before():
    """In the cluster other processes project; until they have, an account would own less than it does."""

    async def run():
        models, position = ReadModels(), Position.at(7, b"chain", partition=3)
        quotas = guard(models)
        admission = await quotas.admit([Submission(command=CREATE, command_id="i", actor=OWNER)])
        admission.end([Accepted(command_id="i", stream="s", version=1, position=position)])
        models.owned = Amounts(projects=100)
        quotas._ledger.account("owner").used = models.owned
        assert await admitted(quotas, CREATE) == {0: "quota_exceeded"}
        assert models.waited_for == position

    asyncio.run(run())


def test_room_that_was_made_here_counts_for_the_next_command():
    async def run():
        models, position = ReadModels(Amounts(projects=99)), Position.at(8, b"chain")
        quotas = guard(models)
        delete = DeleteProject(project_id="p")
        admission = await quotas.admit([Submission(command=delete, command_id="i", actor=OWNER)])
        admission.end([Accepted(command_id="i", stream="s", version=2, position=position)])
        assert models.questions == []
        assert await admitted(quotas, CREATE) == {}
        assert models.waited_for == position

    asyncio.run(run())


def test_while_the_read_models_are_unavailable_commands_pass_without_waiting_for_them_each_time():
    async def run():
        models = ReadModels(Amounts(files=10_000))
        models.available = False
        quotas = guard(models)
        for _ in range(20):
            assert await admitted(quotas, write("new")) == {}
        assert models.questions == ["unavailable"]

    asyncio.run(run())

"""Admit commands as long as the owners of their projects have room for what they add.

A quota covers several projects, and therefore several partitions of the log: no decider can hold it. So it is
checked here, from the read models, and may be passed by what is in flight on other nodes.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from commands.outcomes import Accepted, Outcome, Submission
from commands.position import START
from domain.actor import Tier
from domain.errors import Refusal
from domain.project.commands import CreateProject, DeleteProject, SetCollaborator
from domain.quotas import NOTHING, Amounts, Payer, passed, quotas_of
from projections.store import StoreUnavailableError
from projections.writes import Document
from read_api.gateway.consistency import Consistency
from read_api.gateway.quotas.growth import GROWING, SHRINKING, most_growth
from read_api.gateway.quotas.ledger import Account, Ledger
from read_api.gateway.quotas.survey import Survey, Surveyor
from read_api.gateway.quotas.tally import Group, Verdict, tally

_MEASURED_SECONDS = 60.0
"""For how long a measurement counts: other nodes add to what an account owns, too."""

_SETTLE_SECONDS = 1.0
_LOOK_SECONDS = 1.0
_WITHOUT_STORE_SECONDS = 5.0
_MOST_OWNERS = 20_000


class Admission:
    """Which commands of a request are refused, by their places, and what the others add until they end."""

    __slots__ = ("_growths", "_joining", "refusals")

    def __init__(self) -> None:
        """Begin with nothing refused and nothing admitted."""
        self.refusals: dict[int, Refusal] = {}
        self._growths: list[tuple[Account, Amounts]] = []
        self._joining: list[asyncio.Lock] = []

    def admit(self, account: Account, growth: Amounts, *, own: bool) -> None:
        """Count *growth* for *account* until the commands end; for its *own* commands, they are pending."""
        if own:
            account.admit(growth)
        else:
            account.assume(growth)
        self._growths.append((account, growth if own else NOTHING))

    def follow(self, account: Account) -> None:
        """Let the next measurement of *account* include what the commands do."""
        self._growths.append((account, NOTHING))

    async def join(self, account: Account) -> None:
        """Let nobody else add collaborators to projects of *account* until the commands end."""
        await account.joining.acquire()
        self._joining.append(account.joining)

    def end(self, outcomes: Sequence[Outcome] = ()) -> None:
        """Note that the commands have their outcomes."""
        position = START
        for outcome in outcomes:
            if isinstance(outcome, Accepted):
                position = position.join(outcome.position)
        for account, growth in self._growths:
            account.settle(growth, position)
        self._growths.clear()
        for lock in self._joining:
            lock.release()
        self._joining.clear()


class QuotaGuard:
    """Admit the commands that owners have room for. Belongs to one event loop."""

    def __init__(
        self,
        consistency: Consistency,
        tier_of: Callable[[str], Tier],
        is_recorded: Callable[[str], bool],
        *,
        enabled: bool = True,
    ) -> None:
        """Measure through *consistency*; *tier_of* returns an account's tier.

        *is_recorded* returns whether the log has a command. Unless *enabled*, every command is admitted.
        """
        self.enabled = enabled
        self._consistency = consistency
        self._tier_of = tier_of
        self._is_recorded = is_recorded
        self._ledger = Ledger()
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._new: OrderedDict[str, None] = OrderedDict()
        self._off_until = 0.0

    async def admit(self, submissions: Sequence[Submission]) -> Admission:
        """Return which of *submissions* are refused; the caller ends the admission once they have outcomes.

        While the read models are unavailable, every command is admitted: commands need the log alone.
        """
        admission = Admission()
        places = self._growing(submissions, admission) if self.enabled else []
        if not places or time.monotonic() < self._off_until:
            return admission
        try:
            for group in await self._groups(submissions, places):
                await self._decide(group, admission)
            for place in admission.refusals:
                self._forget_new(submissions[place].command)
        except StoreUnavailableError:
            self._off_until = time.monotonic() + _WITHOUT_STORE_SECONDS
        except BaseException:
            admission.end()
            raise
        return admission

    def _growing(self, submissions: Sequence[Submission], admission: Admission) -> list[int]:
        """Return the places of the commands that may grow; *admission* notes when others have made room."""
        places = []
        for place, submission in enumerate(submissions):
            command: Any = submission.command
            if type(command) in GROWING:
                places.append(place)
            elif type(command) in SHRINKING:
                if isinstance(command, DeleteProject):
                    self._forget_new(command)
                owner = self._owners.get(command.project_id, submission.actor.id)
                admission.follow(self._ledger.account(owner))
        return places

    async def _groups(self, submissions: Sequence[Submission], places: Sequence[int]) -> list[Group]:
        """Return the commands that accounts with quotas pay for, by account."""
        groups: dict[str, Group] = {}
        for place in places:
            submission = submissions[place]
            owner = await self._owner(submission)
            if owner is None:
                continue
            if owner not in groups:
                payer = self._payer(owner, submission)
                if payer is None:
                    continue
                groups[owner] = Group(payer, [], [])
            groups[owner].places.append(place)
            groups[owner].submissions.append(submission)
        return [groups[owner] for owner in sorted(groups)]  # two requests lock accounts in the same order

    async def _owner(self, submission: Submission) -> str | None:
        """Return who pays for a command; None where its project is not there (yet)."""
        command: Any = submission.command
        project_id: str = command.project_id
        if isinstance(command, CreateProject):
            if len(self._new) >= _MOST_OWNERS:
                self._new.popitem(last=False)
            self._new[project_id] = None
            return self._note_owner(project_id, submission.actor.id)
        owner = self._owners.get(project_id)
        if owner is None:
            project = await self._look(project_id)
            return None if project is None else self._note_owner(project_id, project["ownerId"])
        return owner

    async def _look(self, project_id: str) -> Document | None:
        """Return the document of a project; raises StoreUnavailableError where that takes too long."""
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                return await self._consistency.look(lambda q: q.usage.project(project_id))
        except TimeoutError as error:
            raise StoreUnavailableError("the read models do not answer in time") from error

    def _note_owner(self, project_id: str, owner: str) -> str:
        """Keep the owner of a project, which never changes."""
        if len(self._owners) >= _MOST_OWNERS:
            self._owners.popitem(last=False)
        self._owners[project_id] = owner
        return owner

    def _forget_new(self, command: Any) -> None:
        """Note that the project of *command* is not being created: it is deleted, or was refused."""
        if isinstance(command, CreateProject | DeleteProject):
            self._new.pop(command.project_id, None)

    def _payer(self, owner: str, submission: Submission) -> Payer | None:
        actor = submission.actor
        tier = actor.tier if actor.id == owner else self._tier_of(owner)
        quotas = quotas_of(owner, tier)
        if quotas is None:
            return None
        return Payer(owner, tier, quotas, told=actor.id == owner or actor.is_admin)

    async def _decide(self, group: Group, admission: Admission) -> None:
        """Decide the commands of *group*; most owners have room for all that they may add."""
        account = self._ledger.account(group.payer.account)
        commands = [submission.command for submission in group.submissions]
        most = sum((most_growth(command) for command in commands), NOTHING)
        if most != NOTHING and time.monotonic() - account.measured_at > _MEASURED_SECONDS:
            await self._measure(account, group)
        if any(isinstance(command, SetCollaborator) for command in commands) or passed(
            account.used, most, group.payer.quotas.most
        ):
            verdict = await self._decide_exactly(group, account, admission)
            admission.refusals.update(verdict.refusals)
            most = verdict.growth
        admission.admit(account, most, own=group.submissions[0].actor.id == group.payer.account)

    async def _survey(self, group: Group, account: Account) -> Survey:
        await self._catch_up(account)
        return await self._consistency.read(
            lambda q: Surveyor(q.usage, self._is_recorded, group.payer, self._new).survey(group.submissions),
            large=True,
        )

    async def _decide_exactly(self, group: Group, account: Account, admission: Admission) -> Verdict:
        """Decide by what the commands change and, where the kept measurement has no room, by one of now."""
        survey = await self._survey(group, account)
        if survey.joining:  # of two that add somebody at once, the second sees the first one's
            await admission.join(account)
            survey = await self._survey(group, account)
        verdict = tally(group, survey, account.used)
        if verdict.short:
            await self._measure(account, group)
            verdict = tally(group, survey, account.used)
        if verdict.short and account.pending != NOTHING:  # what is carried out now may come to less
            with suppress(TimeoutError):
                async with asyncio.timeout(_SETTLE_SECONDS):
                    await account.idle.wait()
            await self._measure(account, group)
            verdict = tally(group, survey, account.used)
        return verdict

    async def _measure(self, account: Account, group: Group) -> None:
        await self._catch_up(account)
        mark = account.unmeasured()
        usage = await self._consistency.read(lambda q: q.usage.of(group.payer.account), large=True)
        account.measured(usage.owned, mark, time.monotonic())

    async def _catch_up(self, account: Account) -> None:
        """Wait a little until the read models include what *account* has done here."""
        with suppress(StoreUnavailableError):
            await self._consistency.included(account.position, _SETTLE_SECONDS)

"""Look up what the commands of a request would change, for an exact decision about a quota.

A command that the decider will refuse, or has carried out before, counts as one that adds nothing: its sender
gets the decider's answer. So only a sender who may do it learns that there is no room.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from msgspec import Struct

from commands.outcomes import Submission
from domain.actor import Actor
from domain.commit.commands import RecordCommit
from domain.errors import Refusal
from domain.file.commands import WriteFile
from domain.policy import permit
from domain.project.access import require
from domain.project.commands import CreateProject, SetCollaborator
from domain.project.events import CollaboratorRole, Visibility
from domain.quotas import Amounts, Payer, too_many_collaborators
from projections.queries.usage import UsageQueries
from projections.writes import Document
from read_api.gateway.quotas.growth import FileSizes, growth_of, paths_of, sizes_after

Step = Amounts | FileSizes | Refusal | None
"""What a command adds, or how it leaves files, or why it is refused; None where it adds nothing."""


class Survey(Struct, frozen=True):
    """The *steps* of the commands, one each, and the sizes of files *before* them, by project and path."""

    steps: Sequence[Step]
    before: Mapping[str, dict[str, int]]
    joining: bool = False
    """Whether a command would add a collaborator."""


class _Access(Struct, frozen=True):
    """A project as the rules of access see it."""

    owner_id: str
    visibility: Visibility
    collaborators: Mapping[str, CollaboratorRole]
    exists: bool = True
    deleted: bool = False


class Surveyor:
    """Survey the commands of one request, all of which *payer* pays for."""

    def __init__(
        self, usage: UsageQueries, is_recorded: Callable[[str], bool], payer: Payer, new: Container[str] = ()
    ) -> None:
        """Read from *usage*; *is_recorded* returns whether the log has a command.

        *new* are projects that are being created, perhaps by an earlier command of the same batch: what is
        written to them before the read models know them counts as well.
        """
        self._usage = usage
        self._is_recorded = is_recorded
        self._payer = payer
        self._new = new
        self._joining = False
        self._projects: dict[str, _Access | None] = {}
        self._members: dict[str, set[str]] = {}

    def survey(self, submissions: Sequence[Submission]) -> Survey:
        """Return what *submissions* would change."""
        steps = [self._step(submission) for submission in submissions]
        paths: dict[str, list[str]] = {}
        for submission, step in zip(submissions, steps, strict=True):
            if isinstance(step, FileSizes):
                paths.setdefault(step.project_id, []).extend(paths_of(submission.command))
        before = {id_: self._usage.sizes(id_, each) for id_, each in paths.items()}
        if len(steps) == 1 and isinstance(steps[0], FileSizes):  # of one command, the sum says it all
            return Survey([growth_of(steps[0], before[steps[0].project_id])], {})
        return Survey(steps, before, self._joining)

    def _step(self, submission: Submission) -> Step:
        if submission.keyed and self._is_recorded(submission.command_id):
            return None
        try:
            return self._change(submission.command, submission.actor)
        except Refusal:
            return None

    def _change(self, command: Any, actor: Actor) -> Step:
        """Return what *command* changes; raises Refusal where the decider will refuse it."""
        if isinstance(command, CreateProject):
            permit(actor, command.NAME)
            return Amounts(projects=1)
        project = self._project(command.project_id)
        if project is None:  # it does not exist
            return None
        require(project, actor, command.NAME)
        if isinstance(command, SetCollaborator):
            return self._collaborator(command, project)
        if isinstance(command, RecordCommit) and self._usage.has_commit(command.project_id, command.sha):
            return None
        return sizes_after(command) if isinstance(command, WriteFile | RecordCommit) else None

    def _collaborator(self, command: SetCollaborator, project: _Access) -> Step:
        members = self._members.setdefault(command.project_id, set(project.collaborators))
        if command.account_id in members or command.account_id == project.owner_id:
            return None
        self._joining = True
        if len(members) >= self._payer.quotas.collaborators:
            return too_many_collaborators(len(members), self._payer)
        members.add(command.account_id)
        return None

    def _project(self, project_id: str) -> _Access | None:
        if project_id not in self._projects:
            project = self._usage.project(project_id)
            self._projects[project_id] = (
                _access(project) if project is not None else self._created(project_id)
            )
        return self._projects[project_id]

    def _created(self, project_id: str) -> _Access | None:
        """Return a project that is being created, as its owner would find it; None for one that is not."""
        if project_id not in self._new:
            return None
        return _Access(owner_id=self._payer.account, visibility=Visibility.PRIVATE, collaborators={})


def _access(project: Document) -> _Access:
    return _Access(
        owner_id=project["ownerId"],
        visibility=Visibility(project["visibility"]),
        collaborators={
            member["userId"]: CollaboratorRole(member["role"]) for member in project["collaborators"]
        },
    )

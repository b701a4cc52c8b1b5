"""The decider of builds."""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.actor import Actor
from domain.build.commands import BuildCommand, MoveBuild, QueueBuild
from domain.build.events import BuildEvent, BuildQueued, BuildStatus, BuildStatusChanged
from domain.commit.hashes import checked_sha
from domain.errors import ConflictError, NotFoundError
from domain.limits import NAME_LENGTH
from domain.project.access import ProjectAccess, require
from domain.text import checked_line

_NEXT: dict[BuildStatus, tuple[BuildStatus, ...]] = {
    BuildStatus.QUEUED: (BuildStatus.RUNNING, BuildStatus.CANCELLED),
    BuildStatus.RUNNING: (BuildStatus.PASSED, BuildStatus.FAILED, BuildStatus.CANCELLED),
    BuildStatus.PASSED: (),
    BuildStatus.FAILED: (),
    BuildStatus.CANCELLED: (),
}


class Build(Struct, frozen=True, kw_only=True):
    """The state of a build."""

    exists: bool
    project_id: str
    status: BuildStatus


INITIAL = Build(exists=False, project_id="", status=BuildStatus.QUEUED)


def decide(
    project: ProjectAccess, build: Build, command: BuildCommand, actor: Actor
) -> tuple[BuildEvent, ...]:
    """Return the events that *command* causes, or refuse it."""
    require(project, actor, command.NAME)
    match command:
        case QueueBuild():
            return _queue(build, command)
        case MoveBuild():
            return _move(build, command)
        case _:
            assert_never(command)


def evolve(build: Build, event: BuildEvent) -> Build:
    """Return the build after *event*."""
    match event:
        case BuildQueued(project_id=project_id):
            return Build(exists=True, project_id=project_id, status=BuildStatus.QUEUED)
        case BuildStatusChanged(status=status):
            return replace(build, status=status)
        case _:
            assert_never(event)


def _queue(build: Build, command: QueueBuild) -> tuple[BuildEvent, ...]:
    if build.exists:
        raise ConflictError("there is a build with this id already", code="build_exists")
    queued = BuildQueued(
        project_id=command.project_id,
        build_id=command.build_id,
        name=checked_line(command.name, pointer="/name", longest=NAME_LENGTH),
        commit=None if command.commit is None else checked_sha(command.commit, pointer="/commit"),
    )
    return (queued,)


def _move(build: Build, command: MoveBuild) -> tuple[BuildEvent, ...]:
    if not build.exists or build.project_id != command.project_id:
        raise NotFoundError("the project has no such build", code="build_not_found")
    if command.status is build.status:
        return ()
    allowed = _NEXT[build.status]
    if command.status not in allowed:
        names = " or ".join(allowed) or "nothing else"
        raise ConflictError(f"a {build.status} build can become {names}", code="build_status")
    return (
        BuildStatusChanged(project_id=command.project_id, build_id=command.build_id, status=command.status),
    )

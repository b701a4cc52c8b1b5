"""Commands on the builds of a project."""

from commands.table.fields import Id, Input, Name, Sha
from commands.table.handler import Handler, loads_project, project_home, within_project
from commands.table.row import BuildContext, ClientCommandRow
from domain.build.commands import MoveBuild, QueueBuild
from domain.build.decider import decide
from domain.build.events import BuildStatus
from domain.identifiers import build_stream


class BuildInput(Input):
    """A new build."""

    name: Name = "build"
    commit: Sha | None = None


class BuildPatch(Input):
    """The status of a build."""

    status: BuildStatus


class BuildCommand(BuildPatch, kw_only=True):
    """A build and its status."""

    build_id: Id


def _queue(data: BuildInput, context: BuildContext) -> QueueBuild:
    return QueueBuild(project_id=context.target, build_id=context.new_id, name=data.name, commit=data.commit)


def _move(data: BuildCommand, context: BuildContext) -> MoveBuild:
    return MoveBuild(project_id=context.target, build_id=data.build_id, status=data.status)


def _stream(command: QueueBuild | MoveBuild) -> str:
    return build_stream(command.build_id)


_HANDLER = Handler(home=project_home, stream=_stream, run=within_project(decide), also_loads=loads_project)

ROWS = (
    ClientCommandRow(QueueBuild, _HANDLER, BuildInput, _queue),
    ClientCommandRow(MoveBuild, _HANDLER, BuildCommand, _move),
)

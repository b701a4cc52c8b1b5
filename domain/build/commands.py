"""The commands of builds."""

from domain.build.events import BuildStatus
from domain.command import Command
from domain.policy import ProjectRole, member


class QueueBuild(Command, tag="build.queue", rule=member(ProjectRole.EDITOR)):
    """Request a build, of a commit where one is named."""

    project_id: str
    build_id: str
    name: str
    commit: str | None


class MoveBuild(Command, tag="build.move", rule=member(ProjectRole.EDITOR)):
    """Report the status of a build."""

    project_id: str
    build_id: str
    status: BuildStatus


BuildCommand = QueueBuild | MoveBuild

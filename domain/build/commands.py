"""What may be asked of builds."""

from domain.build.events import BuildStatus
from domain.command import Command


class QueueBuild(Command, tag="build.queue"):
    """Ask for a build, of a commit where one is named."""

    project_id: str
    build_id: str
    name: str
    commit: str | None


class MoveBuild(Command, tag="build.move"):
    """Say how far the build is."""

    project_id: str
    build_id: str
    status: BuildStatus


BuildCommand = QueueBuild | MoveBuild

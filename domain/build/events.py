"""The events of builds."""

from enum import StrEnum

from domain.event import Event


class BuildStatus(StrEnum):
    """The status of a build."""

    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BuildQueued(Event, topic="build.queued", version=1):
    """A build was requested."""

    project_id: str
    build_id: str
    name: str
    commit: str | None


class BuildStatusChanged(Event, topic="build.status_changed", version=1):
    """The build got another status."""

    project_id: str
    build_id: str
    status: BuildStatus


BuildEvent = BuildQueued | BuildStatusChanged

"""A project aggregate and its application, written as the documentation of `eventsourcing` shows."""

from collections.abc import Iterable
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event


class Project(Aggregate):
    """A project with a name."""

    @event("Created")
    def __init__(self, name: str, visibility: str) -> None:
        self.name = name
        self.visibility = visibility

    @event("Renamed")
    def rename(self, name: str) -> None:
        """Give the project another name."""
        self.name = name


class Projects(Application[UUID]):
    """Creates and loads projects; the environment chooses the persistence module."""

    def create(self, name: str, visibility: str) -> tuple[Project, int]:
        """Save a new project; return it and its notification id."""
        project = Project(name=name, visibility=visibility)
        recordings = self.save(project)
        return project, recordings[-1].notification.id

    def create_all(self, inputs: Iterable[tuple[str, str]]) -> tuple[list[Project], int]:
        """Save new projects in one transaction; return them and the last notification id."""
        projects = [Project(name=name, visibility=visibility) for name, visibility in inputs]
        recordings = self.save(*projects)
        return projects, recordings[-1].notification.id

    def get(self, project_id: UUID) -> Project:
        """Load a project from its events."""
        project: Project = self.repository.get(project_id)
        return project

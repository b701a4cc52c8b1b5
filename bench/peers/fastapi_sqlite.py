"""FastAPI and uvicorn over a plain `eventsourcing` application: `python -m bench.peers.fastapi_sqlite PORT`.

The environment chooses the store: `PERSISTENCE_MODULE`, `eventsourcing.sqlite` or `eventsourcing.postgres`,
and its settings. The paths are CodePark's, so both get the same requests. There is no authentication, which
favours the peer.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import uvicorn
from eventsourcing.application import AggregateNotFoundError
from fastapi import FastAPI, Header, HTTPException, Response
from pydantic import BaseModel

from bench.peers.projects import Project, Projects
from bench.peers.view import Follower, MemoryView

_WAIT_SECONDS = 2.0
After = Annotated[int | None, Header()]


class NewProject(BaseModel):
    """The body that creates a project."""

    name: str
    visibility: str = "private"


class NewCommand(BaseModel):
    """One command of a batch."""

    type: str
    data: NewProject


class Commands(BaseModel):
    """A batch of commands."""

    commands: list[NewCommand]


def build() -> FastAPI:
    """Return the web application."""
    projects, view = Projects(), MemoryView()
    follower = Follower(projects, view)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        follower.stop()
        projects.close()

    api = FastAPI(lifespan=lifespan)

    def await_position(position: int | None) -> None:
        if position is not None and not view.wait(position, _WAIT_SECONDS):
            raise HTTPException(503)

    @api.get("/health/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @api.post("/api/v1/projects", status_code=201)
    def create(new: NewProject, response: Response) -> dict[str, Any]:
        project, position = projects.create(new.name, new.visibility)
        follower.prompt()
        response.headers["CodePark-Position"] = str(position)
        return _document(project)

    @api.post("/api/v1/commands")
    def batch(commands: Commands, response: Response) -> dict[str, Any]:
        created, position = projects.create_all(
            (command.data.name, command.data.visibility) for command in commands.commands
        )
        follower.prompt()
        response.headers["CodePark-Position"] = str(position)
        return {"results": [{"id": str(project.id), "status": "accepted"} for project in created]}

    @api.get("/api/v1/projects/{project_id}")
    def read(project_id: UUID, codepark_after: After = None) -> dict[str, Any]:
        await_position(codepark_after)
        try:
            return _document(projects.get(project_id))
        except AggregateNotFoundError:
            raise HTTPException(404) from None

    @api.get("/api/v1/projects")
    def newest(limit: int = 20, codepark_after: After = None) -> dict[str, Any]:
        await_position(codepark_after)
        rows = view.last(min(limit, 100))
        return {
            "items": [{"id": key, "name": name, "visibility": visibility} for key, name, visibility in rows]
        }

    return api


def _document(project: Project) -> dict[str, Any]:
    return {
        "id": str(project.id),
        "name": project.name,
        "visibility": project.visibility,
        "version": project.version,
        "createdAt": project.created_on.isoformat(),
        "updatedAt": project.modified_on.isoformat(),
    }


def main() -> None:
    """Serve on the loopback port that is the first argument."""
    uvicorn.run(build(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()

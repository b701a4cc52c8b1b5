"""`/projects` and their collaborators."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from commands.outcomes import Accepted
from commands.table import projects as inputs
from commands.table.fields import NoInput
from domain.errors import NotFoundError
from projections.queries.composed_answers import Rendered
from projections.queries.projects import ProjectFilter
from read_api.contract.lists import ListQuery, listed
from read_api.contract.past import asked_past, left_by
from read_api.contract.views import Collaborator, ListedProject, ListOf, ProjectView
from read_api.gateway.call import Answer, Call
from read_api.gateway.conditions import etag
from read_api.gateway.operation import Operations
from read_api.query_services import Queries

PROJECTS = "/api/v1/projects"
PROJECT = PROJECTS + "/{project_id:str}"
COLLABORATORS = PROJECT + "/collaborators"

operation = Operations("Projects")

Word = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9:_-]+$")]


class ProjectListQuery(ListQuery):
    """Which projects, in which order."""

    owner: Word | None = None
    collaborator: Word | None = None
    search: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    sort: Annotated[str, Meta(pattern=r"^-?(createdAt|updatedAt|name)$")] = "-createdAt"


class AsOfQuery(Struct, frozen=True, kw_only=True, rename="camel"):
    """At which moment of the past: an RFC 3339 time or a position token; and which fields."""

    as_of: Annotated[str, Meta(min_length=1, max_length=1_200)] | None = None
    fields: Annotated[str, Meta(min_length=1, max_length=1_000)] | None = None


@operation("GET", PROJECTS, "project.read", query=ProjectListQuery, output=ListOf[ListedProject])
async def list_projects(call: Call, query: ProjectListQuery) -> Answer:
    """List the projects that you may see."""
    wanted = ProjectFilter(
        owner=query.owner, collaborator=query.collaborator, search=query.search, sort=query.sort
    )
    actor = call.actor
    page = await call.read_list(lambda q: q.projects.page(wanted, query.page(), actor))
    return listed(call, PROJECTS, page, query.fields)


@operation(
    "POST",
    PROJECTS,
    "project.create",
    input=inputs.ProjectInput,
    output=ProjectView,
    status=201,
    command=True,
)
async def create_project(call: Call, data: inputs.ProjectInput) -> Answer:
    """Start a project."""
    done = await call.execute("project.create", data)
    project_id = done.stream.removeprefix("project-")
    actor = call.actor
    answer = await _as_left(call, done, project_id, 201, lambda q: q.projects.rendered_new(project_id, actor))
    answer.headers["Location"] = f"{PROJECTS}/{project_id}"
    return answer


@operation("GET", PROJECT, "project.read", query=AsOfQuery, output=ProjectView, conditional=True)
async def get_project(call: Call, query: AsOfQuery) -> Answer:
    """Show a project, as it is or as it was."""
    project_id, actor = call.path["project_id"], call.actor
    if query.as_of is not None:
        past = await asked_past(
            call, project_id, query.as_of, "project", lambda q: q.projects.get(project_id, actor)
        )
        return call.shown(past, past["version"], composed=True)
    found = await call.read(lambda q: q.projects.rendered(project_id, actor), project=project_id)
    return call.rendered(found)


@operation("PUT", PROJECT, "project.update", input=inputs.ProjectInput, output=ProjectView, command=True)
async def replace_project(call: Call, data: inputs.ProjectInput) -> Answer:
    """Replace everything that a project says about itself."""
    return await _change(call, "project.update", _whole(data))


@operation(
    "PATCH",
    PROJECT,
    "project.update",
    input=inputs.ProjectPatch,
    output=ProjectView,
    patch=True,
    command=True,
)
async def patch_project(call: Call, data: inputs.ProjectPatch) -> Answer:
    """Change some of what a project says about itself (JSON merge patch)."""
    return await _change(call, "project.update", data)


@operation("DELETE", PROJECT, "project.delete", status=204, command=True)
async def delete_project(call: Call) -> Answer:
    """Delete a project."""
    project_id = call.path["project_id"]
    done = await call.execute("project.delete", NoInput(), target=project_id)
    return Answer(status=204, headers=call.command_headers(done))


@operation("GET", COLLABORATORS, "project.read", output=ListOf[Collaborator])
async def list_collaborators(call: Call) -> Answer:
    """List who works on a project."""
    project = await _project(call)
    body = {"items": project["collaborators"], "nextCursor": None}
    return Answer(body=msgspec.json.encode(body), headers={"ETag": etag(project["version"])})


@operation("GET", COLLABORATORS + "/{account_id:str}", "project.read", output=Collaborator)
async def get_collaborator(call: Call) -> Answer:
    """Show somebody who works on a project."""
    project = await _project(call)
    return _collaborator(call, project, etag(project["version"]))


@operation(
    "PUT",
    COLLABORATORS + "/{account_id:str}",
    "collaborator.set",
    input=inputs.CollaboratorInput,
    output=Collaborator,
    command=True,
)
async def set_collaborator(call: Call, data: inputs.CollaboratorInput) -> Answer:
    """Let somebody work on a project in this role."""
    body = inputs.CollaboratorCommand(account_id=call.path["account_id"], role=data.role)
    done = await call.execute("collaborator.set", body, target=call.path["project_id"])
    actor, project_id = call.actor, call.path["project_id"]
    project = await left_by(call, done, project_id, lambda q: q.projects.get(project_id, actor))
    answer = _collaborator(call, project, etag(done.version))
    answer.headers |= call.command_headers(done)
    return answer


@operation("DELETE", COLLABORATORS + "/{account_id:str}", "collaborator.leave", status=204, command=True)
async def remove_collaborator(call: Call) -> Answer:
    """Let somebody no longer work on a project."""
    body = inputs.CollaboratorRemoval(account_id=call.path["account_id"])
    done = await call.execute("collaborator.remove", body, target=call.path["project_id"])
    return Answer(status=204, headers=call.command_headers(done))


async def _project(call: Call) -> dict[str, Any]:
    project_id, actor = call.path["project_id"], call.actor
    return await call.read(lambda q: q.projects.get(project_id, actor))


def _collaborator(call: Call, project: dict[str, Any], tag: str) -> Answer:
    account_id = call.path["account_id"]
    for collaborator in project["collaborators"]:
        if collaborator["id"] == account_id:
            return Answer(body=msgspec.json.encode(collaborator), headers={"ETag": tag})
    raise NotFoundError(f"{account_id} does not work on this project", code="collaborator_not_found")


def _whole(data: inputs.ProjectInput) -> inputs.ProjectPatch:
    """Return the change that sets every field: what *data* leaves out becomes its default."""
    return inputs.ProjectPatch(
        name=data.name, description=data.description, visibility=data.visibility, language=data.language
    )


async def _change(call: Call, type_name: str, data: inputs.ProjectPatch) -> Answer:
    project_id = call.path["project_id"]
    done = await call.execute(type_name, data, target=project_id)
    actor = call.actor
    return await _as_left(call, done, project_id, 200, lambda q: q.projects.rendered(project_id, actor))


async def _as_left(
    call: Call, done: Accepted, project_id: str, status: int, ask: Callable[[Queries], Rendered]
) -> Answer:
    """Answer with the project as the command left it; for a repeated command, as it left it then."""
    found = await left_by(call, done, project_id, ask, insights=True)
    body = found.body if "fields" not in call.query else msgspec.json.encode(call.picked(found.document))
    return Answer(status=status, body=body, headers=call.command_headers(done))

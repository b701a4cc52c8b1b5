"""`/projects` and their collaborators."""

from typing import Any

from commands.outcomes import Accepted
from commands.table.fields import NoInput
from commands.table.projects import (
    CollaboratorCommand,
    CollaboratorInput,
    CollaboratorRemoval,
    ProjectInput,
    ProjectPatch,
)
from domain.errors import NotFoundError
from projections.writes import Document
from read_api.contract.changed_resource import changed_project, read_changed_in
from read_api.contract.past import ask, past_answer
from read_api.contract.queries import AsOfQuery, MomentQuery, ProjectListQuery
from read_api.contract.views import Collaborator, ListedProject, ListOf, ProjectView
from read_api.gateway.answers import (
    Answer,
    command_answer,
    command_headers,
    etag,
    json_answer,
    page_answer,
    rendered_answer,
)
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations

PROJECTS = "/api/v1/projects"
PROJECT = PROJECTS + "/{project_id:str}"
COLLABORATORS = PROJECT + "/collaborators"
COLLABORATOR = COLLABORATORS + "/{account_id:str}"

operation = Operations("Projects")


@operation("GET", PROJECTS, "project.read", query=ProjectListQuery, output=ListOf[ListedProject])
async def list_projects(call: Call, query: ProjectListQuery) -> Answer:
    """List the projects that you may see."""
    wanted, actor = query.filter(), call.actor
    page = await call.read_list(lambda q: q.projects.page(wanted, query.page(), actor))
    return page_answer(call, PROJECTS, page, query.fields)


@operation(
    "POST",
    PROJECTS,
    "project.create",
    input=ProjectInput,
    output=ProjectView,
    status=201,
    command=True,
)
async def create_project(call: Call, data: ProjectInput) -> Answer:
    """Create a project."""
    accepted = await call.execute(call.command_type, data)
    project_id = accepted.stream.removeprefix("project-")
    answer = await _project_answer(call, accepted, project_id, new=True)
    answer.status = 201
    answer.headers["Location"] = f"{PROJECTS}/{project_id}"
    return answer


@operation("GET", PROJECT, "project.read", query=AsOfQuery, output=ProjectView, conditional=True)
async def get_project(call: Call, query: AsOfQuery) -> Answer:
    """Get a project, as it is now or as it was at a time or position."""
    project_id, actor = call.path["project_id"], call.actor
    if query.as_of is None:
        rendered = await call.read(lambda q: q.projects.rendered(project_id, actor))
    else:
        rendered = await past_answer(
            call, project_id, query.as_of, lambda q: q.projects.rendered(project_id, actor), authored=True
        )
    return rendered_answer(call, rendered)


@operation("PUT", PROJECT, "project.update", input=ProjectInput, output=ProjectView, command=True)
async def replace_project(call: Call, data: ProjectInput) -> Answer:
    """Replace every attribute of a project; what the body leaves out gets its default."""
    return await _change(
        call,
        ProjectPatch(
            name=data.name,
            description=data.description,
            visibility=data.visibility,
            language=data.language,
            publish_history=data.publish_history,
        ),
    )


@operation(
    "PATCH",
    PROJECT,
    "project.update",
    input=ProjectPatch,
    output=ProjectView,
    patch=True,
    command=True,
)
async def patch_project(call: Call, data: ProjectPatch) -> Answer:
    """Change some attributes of a project (JSON merge patch)."""
    return await _change(call, data)


@operation("DELETE", PROJECT, "project.delete", status=204, command=True)
async def delete_project(call: Call) -> Answer:
    """Delete a project."""
    return command_answer(call, await _execute(call, NoInput()))


@operation("GET", COLLABORATORS, "project.read", query=MomentQuery, output=ListOf[Collaborator])
async def list_collaborators(call: Call, query: MomentQuery) -> Answer:
    """List a project's collaborators, as they are now or as they were at a time or position."""
    project = await _project(call, query.as_of)
    collaborators = {"items": project["collaborators"], "nextCursor": None}
    return json_answer(collaborators, headers={"ETag": etag(project["version"])})


@operation("GET", COLLABORATOR, "project.read", query=MomentQuery, output=Collaborator)
async def get_collaborator(call: Call, query: MomentQuery) -> Answer:
    """Get a collaborator, as it is now or as it was at a time or position."""
    project = await _project(call, query.as_of)
    return json_answer(_collaborator(call, project), headers={"ETag": etag(project["version"])})


@operation(
    "PUT",
    COLLABORATOR,
    "collaborator.set",
    input=CollaboratorInput,
    output=Collaborator,
    command=True,
)
async def set_collaborator(call: Call, data: CollaboratorInput) -> Answer:
    """Add a collaborator, or change their role."""
    project_id, actor = call.path["project_id"], call.actor
    body = CollaboratorCommand(account_id=call.path["account_id"], role=data.role)
    accepted = await _execute(call, body)
    project = await read_changed_in(call, accepted, project_id, lambda q: q.projects.get(project_id, actor))
    return command_answer(call, accepted, _collaborator(call, project))


@operation(
    "DELETE",
    COLLABORATOR,
    "collaborator.leave",
    command_type="collaborator.remove",
    status=204,
    command=True,
)
async def remove_collaborator(call: Call) -> Answer:
    """Remove a collaborator.

    Collaborators may also remove themselves, whatever their role.
    """
    body = CollaboratorRemoval(account_id=call.path["account_id"])
    return command_answer(call, await _execute(call, body))


async def _project(call: Call, as_of: str | None) -> Document:
    project_id, actor = call.path["project_id"], call.actor
    return await ask(call, project_id, as_of, lambda q: q.projects.get(project_id, actor))


def _collaborator(call: Call, project: Document) -> Document:
    account_id = call.path["account_id"]
    if account_id.startswith("@"):
        account_id = call.api.intake.account_named(account_id[1:]) or account_id
    for collaborator in project["collaborators"]:
        if collaborator["id"] == account_id:
            document: Document = collaborator
            return document
    raise NotFoundError(f"{account_id} is not a collaborator of this project", code="collaborator_not_found")


async def _execute(call: Call, data: Any) -> Accepted:
    return await call.execute(call.command_type, data, target=call.path["project_id"])


async def _change(call: Call, data: Any) -> Answer:
    """Carry out the operation's command on the project in the path, and answer with the project."""
    return await _project_answer(call, await _execute(call, data), call.path["project_id"])


async def _project_answer(call: Call, accepted: Accepted, project_id: str, *, new: bool = False) -> Answer:
    """Answer with the project as a command left it, whose JSON is ready."""
    rendered = await changed_project(call, accepted, project_id, new=new)
    return Answer(body=rendered.body, headers=command_headers(call, accepted))

"""`/projects/{id}/builds`."""

from commands.table.builds import BuildCommand, BuildInput, BuildPatch
from read_api.contract.past import ask
from read_api.contract.queries import AsOfQuery, PastListQuery
from read_api.contract.views import BuildView, ListOf
from read_api.gateway.answers import Answer, document_answer, page_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.rest.changes import change
from read_api.rest.projects import PROJECT

BUILDS = PROJECT + "/builds"
BUILD = BUILDS + "/{build_id:str}"

operation = Operations("Builds")


@operation("GET", BUILDS, "project.read", query=PastListQuery, output=ListOf[BuildView])
async def list_builds(call: Call, query: PastListQuery) -> Answer:
    """List a project's builds, the newest first."""
    project_id, actor = call.path["project_id"], call.actor
    page = await ask(call, project_id, query.as_of, lambda q: q.builds.page(project_id, query.page(), actor))
    return page_answer(call, f"/api/v1/projects/{project_id}/builds", page, query.fields)


@operation("POST", BUILDS, "build.queue", input=BuildInput, output=BuildView, status=201, command=True)
async def queue_build(call: Call, data: BuildInput) -> Answer:
    """Queue a build."""
    return await change(call, data, created="builds")


@operation("GET", BUILD, "project.read", query=AsOfQuery, output=BuildView, conditional=True)
async def get_build(call: Call, query: AsOfQuery) -> Answer:
    """Get a build, as it is now or as it was at a time or position."""
    project_id, build_id, actor = call.path["project_id"], call.path["build_id"], call.actor
    build = await ask(call, project_id, query.as_of, lambda q: q.builds.get(project_id, build_id, actor))
    return document_answer(call, build)


@operation("PATCH", BUILD, "build.move", input=BuildPatch, output=BuildView, patch=True, command=True)
async def move_build(call: Call, data: BuildPatch) -> Answer:
    """Update a build's status; it only moves forward."""
    return await change(call, BuildCommand(build_id=call.path["build_id"], status=data.status))

"""`/projects/{id}/builds`."""

from commands.table import builds as inputs
from read_api.contract.lists import ListQuery, listed
from read_api.contract.views import BuildView, ListOf
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.rest.changing import Show, change
from read_api.rest.projects import PROJECT

BUILDS = PROJECT + "/builds"
BUILD = BUILDS + "/{build_id:str}"

operation = Operations("Builds")


@operation("GET", BUILDS, "project.read", query=ListQuery, output=ListOf[BuildView])
async def list_builds(call: Call, query: ListQuery) -> Answer:
    """List the builds of a project, the newest first."""
    project_id, actor = call.path["project_id"], call.actor
    page = await call.read(lambda q: q.builds.page(project_id, query.page(), actor))
    return listed(call, f"/api/v1/projects/{project_id}/builds", page, query.fields)


@operation("POST", BUILDS, "build.queue", input=inputs.BuildInput, output=BuildView, status=201, command=True)
async def queue_build(call: Call, data: inputs.BuildInput) -> Answer:
    """Ask for a build."""
    return await change(call, "build.queue", data, _show(call), created="builds")


@operation("GET", BUILD, "project.read", output=BuildView, conditional=True)
async def get_build(call: Call) -> Answer:
    """Show a build."""
    project_id, build_id, actor = call.path["project_id"], call.path["build_id"], call.actor
    found = await call.read(lambda q: q.builds.get(project_id, build_id, actor))
    return call.shown(found, found["version"])


@operation("PATCH", BUILD, "build.move", input=inputs.BuildPatch, output=BuildView, patch=True, command=True)
async def move_build(call: Call, data: inputs.BuildPatch) -> Answer:
    """Say how far a build is; its status only moves forward."""
    body = inputs.BuildCommand(build_id=call.path["build_id"], status=data.status)
    return await change(call, "build.move", body, _show(call))


def _show(call: Call) -> Show:
    project_id, actor = call.path["project_id"], call.actor
    return lambda queries, build_id: queries.builds.get(project_id, build_id, actor)

"""`/projects/{id}/commits`."""

from typing import Annotated

import msgspec
from msgspec import Meta

from commands.outcomes import Accepted
from commands.table import commits as inputs
from read_api.contract.lists import ListQuery, listed
from read_api.contract.past import left_by
from read_api.contract.views import CommitView, ListedCommit, ListOf
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.rest.projects import PROJECT

COMMITS = PROJECT + "/commits"

operation = Operations("Commits")


class CommitListQuery(ListQuery):
    """Which commits."""

    path: Annotated[str, Meta(min_length=1, max_length=1_024)] | None = None


@operation("GET", COMMITS, "project.read", query=CommitListQuery, output=ListOf[ListedCommit])
async def list_commits(call: Call, query: CommitListQuery) -> Answer:
    """List the commits of a project, the newest first."""
    project_id, actor = call.path["project_id"], call.actor
    page = await call.read(lambda q: q.commits.page(project_id, query.path, query.page(), actor))
    return listed(call, f"/api/v1/projects/{project_id}/commits", page, query.fields)


@operation(
    "POST",
    COMMITS,
    "commit.record",
    input=inputs.CommitInput,
    output=CommitView,
    status=201,
    also=(202,),
    command=True,
)
async def record_commit(call: Call, data: inputs.CommitInput) -> Answer:
    """Record a commit and what it does to the files, as one step."""
    project_id, actor = call.path["project_id"], call.actor
    submission = call.api.intake.submission("commit.record", data, call.request(), target=project_id)
    done: Accepted = await call.carry_out(submission)
    headers = call.command_headers(done)
    sha = str(getattr(submission.command, "sha", ""))
    if not data.complete:  # the commit is not there before its last part
        return Answer(status=202, headers=headers)
    found = await left_by(call, done, project_id, lambda q: q.commits.get(project_id, sha, actor))
    headers["Location"] = f"/api/v1/projects/{project_id}/commits/{sha}"
    return Answer(status=201, body=msgspec.json.encode(call.picked(found)), headers=headers)


@operation("GET", COMMITS + "/{sha:str}", "project.read", output=CommitView, conditional=True)
async def get_commit(call: Call) -> Answer:
    """Show a commit."""
    project_id, sha, actor = call.path["project_id"], call.path["sha"], call.actor
    found = await call.read(lambda q: q.commits.get(project_id, sha, actor))
    return call.shown(found, found["version"])

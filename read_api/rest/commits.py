"""`/projects/{id}/commits`."""

import asyncio

from commands.position import Position
from commands.table.commits import CommitInput
from projections.writes import Document
from read_api.contract.past import ask
from read_api.contract.queries import AsOfQuery, CommitListQuery, TimelineQuery
from read_api.contract.views import CommitView, ListedCommit, ListOf, Timeline
from read_api.gateway.answers import (
    Answer,
    command_answer,
    command_headers,
    document_answer,
    json_answer,
    page_answer,
)
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.rest.changes import carry_out
from read_api.rest.projects import PROJECT

COMMITS = PROJECT + "/commits"

operation = Operations("Commits")


@operation("GET", COMMITS, "project.read", query=CommitListQuery, output=ListOf[ListedCommit])
async def list_commits(call: Call, query: CommitListQuery) -> Answer:
    """List a project's commits, the newest first; with `path`, those that changed that file."""
    project_id, actor = call.path["project_id"], call.actor
    page = await ask(
        call,
        project_id,
        query.as_of,
        lambda q: q.commits.page(project_id, query.path, query.page(), actor),
        authored=True,
    )
    return page_answer(call, f"/api/v1/projects/{project_id}/commits", page, query.fields)


@operation(
    "POST",
    COMMITS,
    "commit.record",
    input=CommitInput,
    output=CommitView,
    status=201,
    also=(200, 202),
    command=True,
)
async def record_commit(call: Call, data: CommitInput) -> Answer:
    """Record a commit and apply its changes to the files, in one step.

    A commit that the project has already is answered with 200, another one with the same hash refused.
    """
    submission, accepted, commit = await carry_out(call, data)
    if commit is None:  # the first parts of a large one
        return Answer(status=202, headers=command_headers(call, accepted))
    sha: str = getattr(submission.command, "sha", "")
    location = f"/api/v1/projects/{call.path['project_id']}/commits/{sha}"
    status = 201 if accepted.changed else 200  # 200: the project has it already
    return command_answer(call, accepted, commit, status=status, location=location)


@operation("GET", PROJECT + "/timeline", "project.read", query=TimelineQuery, output=Timeline)
async def get_timeline(call: Call, query: TimelineQuery) -> Answer:
    """List a project's commits, the oldest first, in few words and each with the position after it."""
    project_id, actor = call.path["project_id"], call.actor
    log = call.api.logs.of(project_id)
    position = call.api.logs.tip(log.number).token()
    commits, more = await call.read(lambda q: q.commits.timeline(project_id, query.first, query.limit, actor))
    chains = await asyncio.to_thread(log.chains, [commit["end"] for commit in commits])
    items: list[Document] = []
    for commit in commits:
        sequence = commit.pop("end")
        if sequence not in chains:  # another node has it already: the live events will bring it here too
            break
        token = Position.at(sequence, chains[sequence], log.number).token()
        items.append({**commit, "sequence": sequence, "position": token})
    following = items[-1]["number"] + 1 if items and more else None
    body = {"items": items, "next": following, "position": position}
    return json_answer(body, headers={"Cache-Control": "private, no-cache", "CodePark-Position": position})


@operation(
    "GET", COMMITS + "/{sha:str}", "project.read", query=AsOfQuery, output=CommitView, conditional=True
)
async def get_commit(call: Call, query: AsOfQuery) -> Answer:
    """Get a commit; with `asOf`, one that had been recorded by then."""
    project_id, sha, actor = call.path["project_id"], call.path["sha"], call.actor
    commit = await ask(
        call, project_id, query.as_of, lambda q: q.commits.get(project_id, sha, actor), authored=True
    )
    return document_answer(call, commit)

"""Carry out a command on something inside a project, and answer with what it left behind."""

from collections.abc import Callable
from typing import Any

import msgspec

from read_api.contract.past import left_by
from read_api.gateway.call import Answer, Call
from read_api.query_services import Queries

Show = Callable[[Queries, str], dict[str, Any]]
"""From the query objects and the id of what was changed to how it looks."""


async def change(call: Call, type_name: str, body: Any, show: Show, *, created: str | None = None) -> Answer:
    """Carry out a command on the project in the path; *created* is the path below it of what is new (201)."""
    project_id = call.path["project_id"]
    done = await call.execute(type_name, body, target=project_id)
    changed_id = done.stream.partition("-")[2]
    found = await left_by(call, done, project_id, lambda q: show(q, changed_id))
    headers = call.command_headers(done)
    if created is not None:
        headers["Location"] = f"/api/v1/projects/{project_id}/{created}/{changed_id}"
    status = 200 if created is None else 201
    return Answer(status=status, body=msgspec.json.encode(call.picked(found)), headers=headers)

"""What a command changed, as its answer shows it."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from msgspec import Struct

from commands.outcomes import Accepted
from domain.actor import Actor
from domain.command import Command
from domain.commit.commands import RecordCommit
from domain.errors import NotFoundError
from projections.queries.access import project_not_found
from projections.queries.composed_answers import Rendered
from projections.writes import Document
from read_api.contract.past import caller_of, check_history
from read_api.gateway.call import Call
from read_api.gateway.consistency import shown_later
from read_api.query_services import Queries

T = TypeVar("T")


class Resource(Struct, frozen=True):
    """How one kind of resource is read after a command: *show* takes the queries, the command and its sender.

    No answer waits for insights: it shows the last ones, and says where newer ones are being made.
    """

    name: str
    show: Callable[[Queries, Any, Actor], Document]


_PROJECT = Resource("project", lambda q, c, actor: q.projects.get(c.project_id, actor))
_RESOURCES = {
    "project": _PROJECT,
    "collaborator": _PROJECT,
    "file": Resource("file", lambda q, c, actor: q.files.get(c.project_id, c.path, actor)),
    "commit": Resource("commit", lambda q, c, actor: q.commits.get(c.project_id, c.sha, actor)),
    "review": Resource("review", lambda q, c, actor: q.reviews.get(c.project_id, c.review_id, actor)),
    "build": Resource("build", lambda q, c, actor: q.builds.get(c.project_id, c.build_id, actor)),
    "suggestion": Resource("insights", lambda q, c, actor: q.insights.get(c.project_id, actor)),
    "announcement": Resource("announcement", lambda q, c, _: q.inbox.announcement(c.announcement_id)),
    "preferences": Resource("preferences", lambda q, c, _: q.mail.preferences(c.account_id)),
}
"""By the noun of the command's type: `project.create` changes a project."""

_SHOW_NOTHING = frozenset({"project.delete", "file.delete", "notifications.read", "feedback.give"})


@cache
def resource_of(type_name: str) -> Resource | None:
    """Return what the answer to a command of this type shows, None for nothing."""
    return None if type_name in _SHOW_NOTHING else _RESOURCES[type_name.partition(".")[0]]


async def changed_resource(call: Call, command: Command, accepted: Accepted) -> Document | None:
    """Return what *command* changed, None where there is nothing to show (yet).

    Raises NotFoundError where the caller may not see it any more, and HttpError 503 where it is not there in
    time.
    """
    resource = resource_of(command.NAME)
    if resource is None or (isinstance(command, RecordCommit) and not command.complete):
        return None  # a commit in parts exists after its last one
    show, actor = resource.show, call.actor
    project_id: str | None = getattr(command, "project_id", None)
    if project_id is None:
        return await read_changed(call, accepted, lambda q: show(q, command, actor))
    return await read_changed_in(call, accepted, project_id, lambda q: show(q, command, actor))


async def changed_project(call: Call, accepted: Accepted, project_id: str, *, new: bool = False) -> Rendered:
    """Return the project that a command changed, ready to be sent; *new* is one that it created."""
    actor = call.actor

    def ask(queries: Queries) -> Rendered:
        projects = queries.projects
        return projects.rendered_new(project_id, actor) if new else projects.rendered(project_id, actor)

    return await read_changed_in(call, accepted, project_id, ask)


async def read_changed_in(call: Call, accepted: Accepted, project_id: str, ask: Callable[[Queries], T]) -> T:
    """Ask about what a command changed in a project: now, or for a repeated command the moment after it.

    Raises HttpError 503 where the answer is not there in time, and for a repeated command NotFoundError where
    the caller may not see the project any more, or not what it was at that moment.
    """
    consistency = call.api.consistency
    position = call.position_after(accepted)
    if accepted.replayed:
        with shown_later(accepted, position):
            await consistency.reached(accepted.position.token())  # another node may have answered before
            number = call.api.logs.number_of(project_id)
            sequence = accepted.position.sequence(number)
            try:
                return await _shown_again(call, project_id, sequence, ask)
            except NotFoundError:  # or not yet: the project, or what is read from the read models
                await call.api.progress.wait(call.api.models, {number: sequence}, call.api.wait_seconds)
                return await _shown_again(call, project_id, sequence, ask)
    return await consistency.read_changed(ask, accepted, position, project=project_id)


async def _shown_again(call: Call, project_id: str, sequence: int, ask: Callable[[Queries], T]) -> T:
    history = await check_history(call, project_id)
    if not history.includes(sequence):
        raise project_not_found(project_id)
    return await call.api.replays.ask(caller_of(call), project_id, sequence, ask)


async def read_changed(call: Call, accepted: Accepted, ask: Callable[[Queries], T]) -> T:
    """Ask about what a command changed outside of projects; raises HttpError 503 where it takes too long."""
    return await call.api.consistency.read_changed(ask, accepted, call.position_after(accepted))

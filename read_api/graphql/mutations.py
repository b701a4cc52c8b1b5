"""One mutation for each command: the same inputs, the same bus, the same idempotency keys and expected versions as REST."""

from collections.abc import Awaitable, Callable
from typing import Any

import graphene
import msgspec
from graphql import FieldNode, GraphQLResolveInfo
from msgspec import Struct

from commands.outcomes import Accepted, Submission
from commands.table.registry import CLIENT_COMMANDS
from commands.table.row import ClientCommandRow
from domain.errors import NotFoundError
from domain.policy import Scope
from projections.writes import Document
from read_api.contract.past import left_by
from read_api.gateway.call import Call
from read_api.gateway.problems import BadInputError
from read_api.graphql import types
from read_api.graphql.arguments import read_input
from read_api.graphql.context import Context
from read_api.graphql.struct_types import has_fields, has_required_fields, input_of
from read_api.rest.projects import Word

KEY, EXPECTED = "idempotencyKey", "expectedVersion"


class Done(Struct, frozen=True, kw_only=True):
    """A command that was carried out, and what it is needed to show what it left behind."""

    call: Call
    target: str
    submission: Submission
    accepted: Accepted

    @property
    def changed_id(self) -> str:
        """Return the id of what was changed."""
        return self.accepted.stream.partition("-")[2]


Show = Callable[[Done], Awaitable[Document | None]]


async def _project(done: Done) -> Document | None:
    project_id, actor = done.target or done.changed_id, done.call.actor
    return await left_by(
        done.call, done.accepted, project_id, lambda q: q.projects.get(project_id, actor), insights=True
    )


async def _file(done: Done) -> Document | None:
    project_id, actor = done.target, done.call.actor
    path: str = getattr(done.submission.command, "path", "")
    found = await left_by(
        done.call, done.accepted, project_id, lambda q: q.files.get(project_id, path, actor)
    )
    return {**found, "projectId": project_id}


async def _commit(done: Done) -> Document | None:
    project_id, actor, command = done.target, done.call.actor, done.submission.command
    if not getattr(command, "complete", True):  # the commit is not there before its last part
        return None
    sha: str = getattr(command, "sha", "")
    found = await left_by(
        done.call, done.accepted, project_id, lambda q: q.commits.get(project_id, sha, actor)
    )
    return {**found, "projectId": project_id}


async def _review(done: Done) -> Document | None:
    actor = done.call.actor
    return await left_by(
        done.call,
        done.accepted,
        done.target,
        lambda q: q.reviews.get(done.target, done.changed_id, actor),
    )


async def _build(done: Done) -> Document | None:
    actor = done.call.actor
    return await left_by(
        done.call, done.accepted, done.target, lambda q: q.builds.get(done.target, done.changed_id, actor)
    )


async def _insights(done: Done) -> Document | None:
    actor = done.call.actor
    return await left_by(
        done.call, done.accepted, done.target, lambda q: q.insights.get(done.target, actor), insights=True
    )


async def _announcement(done: Done) -> Document | None:
    return await done.call.read(lambda q: q.inbox.announcement(done.changed_id), at=done.accepted)


_SHOWN: dict[str, tuple[str, Any, Show]] = {
    "project": ("project", types.Project, _project),
    "collaborator": ("project", types.Project, _project),
    "file": ("file", types.File, _file),
    "commit": ("commit", types.Commit, _commit),
    "review": ("review", types.Review, _review),
    "build": ("build", types.Build, _build),
    "suggestion": ("insights", types.Insights, _insights),
    "announcement": ("announcement", types.Announcement, _announcement),
}
"""What the answer to a command on each kind of thing shows."""

_NOT_SHOWN = ("project.delete", "file.delete", "notifications.read")


def field_name(type_name: str) -> str:
    """Return the mutation's name: `project.create` is `createProject`."""
    noun, _, verb = type_name.partition(".")
    return verb + noun.capitalize()


def mutation_fields() -> dict[str, graphene.Field]:
    """Return a mutation for every type of command."""
    return {field_name(name): _field(name, kind) for name, kind in CLIENT_COMMANDS.items()}


def _field(type_name: str, kind: ClientCommandRow) -> graphene.Field:
    name = field_name(type_name)
    shown = None if type_name in _NOT_SHOWN else _SHOWN[type_name.partition(".")[0]]
    arguments: dict[str, graphene.Argument] = {}
    if kind.targeted:
        arguments["projectId"] = graphene.Argument(graphene.ID, required=True)
    if has_fields(kind.input):
        required = has_required_fields(kind.input)
        arguments["input"] = graphene.Argument(input_of(kind.input), required=required)
    arguments[KEY] = graphene.Argument(
        graphene.String, description="Makes it repeatable: a retry gets the first outcome."
    )
    arguments[EXPECTED] = graphene.Argument(
        graphene.Int, description="Refuse unless this is the current version."
    )

    async def resolve(_: Any, info: GraphQLResolveInfo, **given: Any) -> Document:
        context: Context = info.context
        context.permit(type_name)
        done = await _carry_out(context, type_name, kind, given, info)
        payload = _outcome(done)
        if shown is not None and _may_read(context):  # a token that only writes is shown nothing
            payload[shown[0]] = await _left(done, shown[2])
        return payload

    return graphene.Field(
        _payload(name, None if shown is None else shown[:2]),
        args=arguments,
        resolver=resolve,
        description=f"Carry out the command `{type_name}`.",
    )


def _may_read(context: Context) -> bool:
    scopes = context.actor.scopes
    return scopes is None or Scope.READ in scopes


def _payload(name: str, shown: tuple[str, Any] | None) -> Any:
    fields: dict[str, Any] = {"__doc__": f"What became of `{name}`."}
    if shown is not None:
        field, made = shown
        fields[field] = graphene.Field(
            made, description="As the command left it, where you may still see it."
        )
    fields |= {
        "version": graphene.Int(required=True, description="The version that its stream is at now."),
        "position": graphene.String(required=True, description="Behind the command's events."),
        "commandId": graphene.ID(required=True),
        "replayed": graphene.Boolean(required=True, description="Whether this is the first outcome again."),
        "changed": graphene.Boolean(required=True, description="False where all was so already."),
    }
    return type(f"{name[0].upper()}{name[1:]}Payload", (graphene.ObjectType,), fields)


async def _carry_out(
    context: Context, type_name: str, kind: ClientCommandRow, given: dict[str, Any], info: GraphQLResolveInfo
) -> Done:
    target = _target(given)
    data = read_input(given.get("input") or {}, kind.input)
    call = context.call_with(
        path={"project_id": target} if target else {}, headers=_headers(context, given, info)
    )
    submission = call.api.intake.submission(type_name, data, call.request(), target=target)
    accepted = await call.carry_out(submission)
    context.moved(call.behind(accepted.position))
    return Done(call=call, target=target, submission=submission, accepted=accepted)


def _target(given: dict[str, Any]) -> str:
    target: str = given.get("projectId", "")
    try:
        return msgspec.convert(target, Word) if target else target
    except msgspec.ValidationError as error:
        raise BadInputError(f"argument projectId: {error}", "projectId") from error


def _headers(context: Context, given: dict[str, Any], info: GraphQLResolveInfo) -> dict[str, str]:
    """Return what the arguments say in headers: the request's own key serves every mutation of the operation."""
    headers: dict[str, str] = {}
    key, common = given.get(KEY), context.headers.get("idempotency-key")
    if key is None and common is not None:
        selections = info.operation.selection_set.selections
        alone = len(selections) == 1 and isinstance(selections[0], FieldNode)
        key = common if alone else f"{common}#{info.path.key}"
    if key is not None:
        headers["idempotency-key"] = key
    expected = given.get(EXPECTED)
    if expected is not None:
        if expected < 0:
            raise BadInputError(f"argument {EXPECTED}: a version is not below 0", EXPECTED)
        headers["if-match"] = f'"{expected}"'
    return headers


def _outcome(done: Done) -> Document:
    accepted = done.accepted
    return {
        "version": accepted.version,
        "position": done.call.behind(accepted.position).token(),
        "commandId": accepted.command_id,
        "replayed": accepted.replayed,
        "changed": accepted.changed,
    }


async def _left(done: Done, show: Show) -> Document | None:
    """Return what the command left, None for those who may not see it any more: it is carried out all the same."""
    try:
        return await show(done)
    except NotFoundError:
        return None

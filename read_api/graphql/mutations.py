"""One mutation for each command: the inputs, keys, expected versions and refusals are those of REST."""

from typing import Any

import graphene
import msgspec
from graphql import FieldNode, GraphQLResolveInfo
from msgspec.structs import replace

from commands.outcomes import Accepted, Submission
from commands.table.registry import CLIENT_COMMANDS
from commands.table.row import ClientCommandRow
from domain.command import Command
from domain.errors import NotFoundError
from domain.policy import Scope
from projections.writes import Document
from read_api.contract.changed_resource import changed_resource, resource_of
from read_api.contract.parameters import Word
from read_api.gateway.bodies import invalid
from read_api.gateway.commands import command_metadata
from read_api.gateway.operation import check_action
from read_api.graphql import types
from read_api.graphql.arguments import read_input
from read_api.graphql.context import Context
from read_api.graphql.struct_types import has_fields, has_required_fields, input_of
from read_api.problems import BadInputError

TARGET, INPUT, KEY, EXPECTED = "projectId", "input", "idempotencyKey", "expectedVersion"
_TYPES: dict[str, Any] = {
    "project": types.Project,
    "file": types.File,
    "commit": types.Commit,
    "review": types.Review,
    "build": types.Build,
    "insights": types.Insights,
    "announcement": types.Announcement,
    "preferences": types.Preferences,
}
"""The type of each resource that a payload shows, by the name of its field."""

_NEED_PROJECT_ID = ("file", "commit")


def field_name(type_name: str) -> str:
    """Return the mutation's name: `project.create` is `createProject`."""
    noun, _, verb = type_name.partition(".")
    return verb + noun.capitalize()


def mutation_fields() -> dict[str, graphene.Field]:
    """Return a mutation for every type of command; raises DeclarationError where the policy lacks one."""
    return {field_name(name): _field(name, row) for name, row in CLIENT_COMMANDS.items()}


def _field(type_name: str, row: ClientCommandRow) -> graphene.Field:
    check_action(type_name)
    resource = resource_of(type_name)
    shown = None if resource is None else resource.name

    async def resolve(_: Any, info: GraphQLResolveInfo, **given: Any) -> Document:
        context: Context = info.context
        context.permit(type_name)
        submission = _submission(context, type_name, row, given, info)
        accepted = await context.call.carry_out(submission)
        payload = _outcome(context, accepted)
        if shown is not None and _may_read(context):
            payload[shown] = await _changed(context, submission.command, accepted, shown)
        return payload

    return graphene.Field(
        _payload(field_name(type_name), shown),
        args=_arguments(row),
        resolver=resolve,
        description=f"Carry out the command `{type_name}`.",
    )


def _arguments(row: ClientCommandRow) -> dict[str, graphene.Argument]:
    arguments: dict[str, graphene.Argument] = {}
    if row.targeted:
        arguments[TARGET] = graphene.Argument(graphene.ID, required=True)
    if has_fields(row.input):
        required = has_required_fields(row.input)
        arguments[INPUT] = graphene.Argument(input_of(row.input), required=required)
    arguments[KEY] = graphene.Argument(
        graphene.String, description="Makes the command repeatable: a retry gets the first outcome."
    )
    arguments[EXPECTED] = graphene.Argument(
        graphene.Int, description="Refuse the command unless this is the current version."
    )
    return arguments


def _payload(name: str, shown: str | None) -> Any:
    fields: dict[str, Any] = {"__doc__": f"The outcome of `{name}`."}
    if shown is not None:
        description = "As the command left it; null where you may not see it."
        fields[shown] = graphene.Field(_TYPES[shown], description=description)
    fields |= {
        "version": graphene.Int(required=True, description="The version of what was changed."),
        "position": graphene.String(required=True, description="The position after the command's events."),
        "commandId": graphene.ID(required=True),
        "replayed": graphene.Boolean(
            required=True, description="Whether this is the outcome of an earlier request with the same key."
        ),
        "changed": graphene.Boolean(
            required=True, description="False where everything was already as the command wants it."
        ),
    }
    return type(f"{name[0].upper()}{name[1:]}Payload", (graphene.ObjectType,), fields)


def _submission(
    context: Context, type_name: str, row: ClientCommandRow, given: dict[str, Any], info: GraphQLResolveInfo
) -> Submission:
    """Return the command that the arguments describe; raises Refusal, BadInputError and HttpError."""
    target = _target(given)
    data = read_input(given.get(INPUT) or {}, row.input)
    request = command_metadata(
        context.actor,
        correlation=context.request_id,
        traceparent=context.headers.get("traceparent"),
        key=_key(context, given, info),
    )
    request = replace(request, expected_version=_expected_version(given))
    return context.api.intake.submission(type_name, data, request, target=target)


def _target(given: dict[str, Any]) -> str:
    target: str = given.get(TARGET, "")
    try:
        return msgspec.convert(target, Word) if target else target
    except msgspec.ValidationError as error:
        detail = invalid(str(error)).faults[0].detail
        raise BadInputError(f"argument {TARGET}: {detail}", TARGET) from error


def _key(context: Context, given: dict[str, Any], info: GraphQLResolveInfo) -> str | None:
    """Return the idempotency key: the argument, else one derived from the header of the request.

    The header's key serves every mutation of the operation; where there are several, each adds its name in
    the answer.
    """
    key: str | None = given.get(KEY)
    common = context.headers.get("idempotency-key")
    if key is not None or common is None:
        return key
    selections = info.operation.selection_set.selections
    alone = len(selections) == 1 and isinstance(selections[0], FieldNode)
    return common if alone else f"{common}#{info.path.key}"


def _expected_version(given: dict[str, Any]) -> int | None:
    expected: int | None = given.get(EXPECTED)
    if expected is not None and expected < 0:
        raise BadInputError(f"argument {EXPECTED}: a version is 0 or more", EXPECTED)
    return expected


def _outcome(context: Context, accepted: Accepted) -> Document:
    position = context.call.position_after(accepted)
    context.moved(position)
    return {
        "version": accepted.version,
        "position": position.token(),
        "commandId": accepted.command_id,
        "replayed": accepted.replayed,
        "changed": accepted.changed,
    }


def _may_read(context: Context) -> bool:
    """Return whether the token may read: one that may only write is shown nothing."""
    scopes = context.actor.scopes
    return scopes is None or Scope.READ in scopes


async def _changed(context: Context, command: Command, accepted: Accepted, shown: str) -> Document | None:
    """Return what the command changed, None where the sender may not see it any more."""
    try:
        document = await changed_resource(context.call, command, accepted)
    except NotFoundError:
        return None
    if document is None or shown not in _NEED_PROJECT_ID:
        return document
    project_id: str = getattr(command, "project_id", "")
    return {**document, "projectId": project_id}

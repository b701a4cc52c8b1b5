"""`/commands`: many commands in one request, and what became of one."""

import asyncio
import re
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from commands.batch_decider import outcome_of
from commands.bus import BusyError
from commands.intake import CommandMetadata as IntakeRequest
from commands.log import LogUnavailableError
from commands.outcomes import Accepted, Outcome, Refused, Submission
from commands.table.registry import CLIENT_COMMANDS
from domain.limits import BATCH_COMMANDS
from read_api.api import Api
from read_api.contract.views import BatchResult, CommandView
from read_api.gateway.bodies import invalid
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.gateway.problems import RETRY_SECONDS, BadInputError, HttpError, problem_of

COMMANDS = "/api/v1/commands"
_ID = re.compile("[0-9a-f-]{36}")
_TYPES = "^(" + "|".join(name.replace(".", r"\.") for name in CLIENT_COMMANDS) + ")$"

operation = Operations("Commands")


class BatchCommand(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One command of a batch; *id* makes it repeatable, *target* is the project (or account) that it is for."""

    type: Annotated[str, Meta(pattern=_TYPES)]
    data: msgspec.Raw
    id: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[\u0021-\u007e]+$")] | UnsetType = UNSET
    target: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9:_-]+$")] | UnsetType = (
        UNSET
    )
    expected_version: Annotated[int, Meta(ge=0, le=2**53)] | UnsetType = UNSET


class Batch(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Commands that are carried out in this order."""

    commands: Annotated[list[BatchCommand], Meta(min_length=1, max_length=BATCH_COMMANDS)]


@operation("POST", COMMANDS, "command.batch", input=Batch, output=BatchResult)
async def carry_out(call: Call, batch: Batch) -> Answer:
    """Carry out commands in order; each has an outcome of its own."""
    base = msgspec.structs.replace(call.request(), expected_version=None)  # each command has its own
    prepared = [_prepared(call.api, base, command, index) for index, command in enumerate(batch.commands)]
    submissions = [item for item in prepared if isinstance(item, Submission)]
    last = call.carried()
    try:
        async with asyncio.timeout(call.api.answer_seconds):
            outcomes = iter(await call.api.bus.execute(submissions) if submissions else [])
    except (BusyError, TimeoutError) as error:
        detail = str(error) or "no outcome in time"
        raise HttpError(503, "busy", detail, headers={"Retry-After": str(RETRY_SECONDS)}) from error
    changed, results = False, []
    for command, item in zip(batch.commands, prepared, strict=True):
        outcome = next(outcomes) if isinstance(item, Submission) else item
        if isinstance(outcome, Accepted):
            changed, last = True, last.join(outcome.position)
        results.append(_result(command, item, outcome))
    headers = {"CodePark-Position": last.token()} if changed else {}
    return Answer(body=msgspec.json.encode({"results": results}), headers=headers)


def _prepared(api: Api, base: IntakeRequest, command: BatchCommand, index: int) -> Submission | Exception:
    try:
        return _submission(api, base, command, index)
    except Exception as error:  # noqa: BLE001 # the error table turns it into this command's problem
        return error


def _submission(api: Api, base: IntakeRequest, command: BatchCommand, index: int) -> Submission:
    kind = CLIENT_COMMANDS[command.type]
    if kind.targeted and command.target is UNSET:
        raise BadInputError(f"{command.type} needs a target", f"/commands/{index}/target")
    try:
        data = _decoder(kind.input).decode(command.data)
    except msgspec.ValidationError as error:
        raise invalid(str(error), f"/commands/{index}/data") from error
    except RecursionError as error:
        raise BadInputError("the data is nested too deep", f"/commands/{index}/data") from error
    target = "" if command.target is UNSET else command.target
    request = _request(base, command, index)
    return api.intake.submission(command.type, data, request, target=target)


def _request(base: IntakeRequest, command: BatchCommand, index: int) -> IntakeRequest:
    """Return what accompanies one command: its own id as idempotency key, or its place under the batch's."""
    key = command.id if command.id is not UNSET else base.key and f"{base.key}#{index}"
    expected = None if command.expected_version is UNSET else command.expected_version
    if key is None and expected is None:
        return base
    return msgspec.structs.replace(base, key=key, expected_version=expected)


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return _decoders.get(type_) or _decoders.setdefault(type_, msgspec.json.Decoder(type_))


def _result(
    command: BatchCommand, item: Submission | Exception, outcome: Outcome | Exception
) -> dict[str, Any]:
    command_id = item.command_id if isinstance(item, Submission) else None
    result: dict[str, Any] = {"id": command_id or "" if command.id is UNSET else command.id}
    if command_id is not None:
        result["commandId"] = command_id
    if isinstance(outcome, Accepted):
        result |= {
            "status": "accepted",
            "target": outcome.stream.partition("-")[2],
            "version": outcome.version,
            "position": outcome.position.token(),
        }
        return result | {"replayed": True} if outcome.replayed else result
    if isinstance(outcome, Exception):
        return result | {"status": "refused", "problem": problem_of(outcome)}
    if isinstance(outcome, Refused):
        return result | {"status": "refused", "problem": problem_of(outcome.refusal)}
    return result | {"status": "unavailable", "problem": problem_of(LogUnavailableError(outcome.reason))}


@operation("GET", COMMANDS + "/{command_id:str}", "command.read", output=CommandView)
async def get_command(call: Call) -> Answer:
    """Tell what became of a command; `unknown` while the log does not have it."""
    command_id = call.path["command_id"]
    if not _ID.fullmatch(command_id):
        raise BadInputError("a command's id is a UUID", "command_id")
    await call.required()
    log, records = call.api.logs.command_records(command_id)
    found: dict[str, Any] = {"id": command_id, "status": "unknown"}
    if records and (call.actor.sees_all or records[0].actor == call.actor.id):
        done = outcome_of(records, log.event(records[0]), log.number)
        found = {
            "id": command_id,
            "status": "accepted",
            "stream": done.stream,
            "version": done.version,
            "position": done.position.token(),
        }
    return Answer(body=msgspec.json.encode(found))

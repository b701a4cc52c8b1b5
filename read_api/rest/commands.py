"""`/commands`: several commands in one request, and the status of one."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from commands.intake import CommandMetadata
from commands.log import LogUnavailableError
from commands.outcomes import Accepted, Outcome, Refused, Submission
from commands.table.registry import CLIENT_COMMANDS
from domain.commit.commands import RecordCommit
from domain.limits import BATCH_COMMANDS
from read_api.api import Api
from read_api.contract.command_status import command_status, progress_of
from read_api.contract.parameters import Word
from read_api.contract.views import BatchResult, CommandView
from read_api.gateway.answers import Answer, json_answer
from read_api.gateway.bodies import invalid, unreadable
from read_api.gateway.call import Call
from read_api.gateway.limits.tiers import requests_of
from read_api.gateway.operation import Operations
from read_api.gateway.patterns import choice, pattern
from read_api.problems import BadInputError, HttpError, problem_in_batch

COMMANDS = "/api/v1/commands"
_TYPES = choice(CLIENT_COMMANDS, "a type of command")
_KEY = pattern(r"^[\u0021-\u007e]+$", "write printable ASCII characters, without spaces")

_FEW = 10

operation = Operations("Commands")


class BatchCommand(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One command of a batch; *id* makes it repeatable, *target* is the project that it is for."""

    type: Annotated[str, Meta(pattern=_TYPES)]
    data: msgspec.Raw
    id: Annotated[str, Meta(min_length=1, max_length=200, pattern=_KEY)] | UnsetType = UNSET
    target: Word | UnsetType = UNSET
    expected_version: Annotated[int, Meta(ge=0, le=2**53)] | UnsetType = UNSET


class Batch(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Commands that are carried out in this order."""

    commands: Annotated[list[BatchCommand], Meta(min_length=1, max_length=BATCH_COMMANDS)]


@operation("POST", COMMANDS, "command.batch", input=Batch, output=BatchResult)
async def carry_out(call: Call, batch: Batch) -> Answer:
    """Carry out several commands in order; each has its own outcome."""
    await call.api.limits.commands(call, sum(_requests(command) for command in batch.commands))
    common = replace(call.command_metadata(), precondition=None)  # each command has its own
    if len(batch.commands) > _FEW:  # their texts are read for mentions, and the mentioned looked up
        prepared = await asyncio.to_thread(_all_prepared, call.api, common, batch.commands)
    else:
        prepared = _all_prepared(call.api, common, batch.commands)
    await _count_feedback(call, prepared)
    position = call.api.consistency.seen(call.after)
    submissions = [each for each in prepared if isinstance(each, Submission)]
    carried_out = await call.api.commands.carry_out_batch(submissions)
    for submission, carried in zip(submissions, carried_out, strict=True):
        call.pass_on_feedback(submission, carried)
    outcomes = iter(carried_out)
    changed, results = False, []
    for index, (command, each) in enumerate(zip(batch.commands, prepared, strict=True)):
        outcome = next(outcomes) if isinstance(each, Submission) else each
        if isinstance(outcome, Accepted):
            changed, position = True, position.join(outcome.position)
        results.append(_result(command, index, each, outcome))
    headers = {"CodePark-Position": position.token()} if changed else {}
    return json_answer({"results": results}, headers=headers)


class _Changes(Struct):
    """The changes of a commit, as far as they have to be counted."""

    changes: list[msgspec.Raw] = []


def _requests(command: BatchCommand) -> int:
    """Return as how many requests *command* counts, before its data is read."""
    if command.type != RecordCommit.NAME:
        return 1
    try:
        return requests_of(len(_decoder(_Changes).decode(command.data).changes))
    except (msgspec.DecodeError, RecursionError):  # it will be refused
        return 1


async def _count_feedback(call: Call, prepared: list[Submission | Exception]) -> None:
    """Refuse the commands of feedback for which the account has sent too much of it."""
    for place, each in enumerate(prepared):
        if isinstance(each, Submission):
            try:
                await call.count_feedback(each)
            except HttpError as error:
                prepared[place] = error


def _all_prepared(
    api: Api, common: CommandMetadata, commands: Sequence[BatchCommand]
) -> list[Submission | Exception]:
    return [_prepared(api, common, command, index) for index, command in enumerate(commands)]


def _prepared(api: Api, common: CommandMetadata, command: BatchCommand, index: int) -> Submission | Exception:
    try:
        return _submission(api, common, command, index)
    except Exception as error:  # noqa: BLE001 # the error table turns it into this command's problem
        return error


def _submission(api: Api, common: CommandMetadata, command: BatchCommand, index: int) -> Submission:
    row = CLIENT_COMMANDS[command.type]
    if row.targeted and command.target is UNSET:
        raise BadInputError(
            f"write target too: {command.type} needs the id of a project", f"/commands/{index}/target"
        )
    if not row.targeted and command.target is not UNSET:
        raise BadInputError(f"leave target out: {command.type} has none", f"/commands/{index}/target")
    try:
        data = _decoder(row.input).decode(command.data)
    except msgspec.ValidationError as error:
        raise invalid(str(error), f"/commands/{index}/data", row.input) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise unreadable("data", command.data, error, f"/commands/{index}/data") from error
    target = "" if command.target is UNSET else command.target
    return api.intake.submission(command.type, data, _metadata(common, command, index), target=target)


def _metadata(common: CommandMetadata, command: BatchCommand, index: int) -> CommandMetadata:
    """Return what accompanies one command; its key is its own id, or its place under the key of the batch."""
    key = command.id if command.id is not UNSET else common.key and f"{common.key}#{index}"
    expected = None if command.expected_version is UNSET else command.expected_version
    if key is None and expected is None:
        return common
    return replace(common, key=key, expected_version=expected)


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return _decoders.get(type_) or _decoders.setdefault(type_, msgspec.json.Decoder(type_))


def _result(
    command: BatchCommand, index: int, prepared: Submission | Exception, outcome: Outcome | Exception
) -> dict[str, Any]:
    place = f"/commands/{index}"
    command_id = prepared.command_id if isinstance(prepared, Submission) else None
    result: dict[str, Any] = {"id": command_id or "" if command.id is UNSET else command.id}
    if command_id is not None:
        result["commandId"] = command_id
    if isinstance(outcome, Accepted):
        changed_id = outcome.stream.partition("-")[2]
        result |= {"status": "accepted", "target": changed_id, **progress_of(outcome)}
        return result | {"replayed": True} if outcome.replayed else result
    if isinstance(outcome, Exception):
        return result | {"status": "refused", "problem": problem_in_batch(outcome, place)}
    if isinstance(outcome, Refused):
        return result | {"status": "refused", "problem": problem_in_batch(outcome.refusal, place)}
    problem = problem_in_batch(LogUnavailableError(outcome.reason), place)
    return result | {"status": "unavailable", "problem": problem}


@operation("GET", COMMANDS + "/{command_id:str}", "command.read", output=CommandView)
async def get_command(call: Call) -> Answer:
    """Get the status of a command; it is `unknown` while the log does not have it."""
    return json_answer(await command_status(call, call.path["command_id"]))

"""Carry out an operation's command on the project in its path, and answer with what it changed."""

from typing import Any

from commands.outcomes import Accepted, Submission
from commands.table.registry import COMMAND_TABLE
from domain.command import Command
from projections.writes import Document
from read_api.contract.changed_resource import changed_resource
from read_api.gateway.answers import Answer, command_answer
from read_api.gateway.call import Call


async def carry_out(call: Call, data: Any) -> tuple[Submission, Accepted, Document | None]:
    """Carry out the command of the operation; return it, its outcome, and what it changed."""
    submission = call.submission(call.command_type, data, target=call.path["project_id"])
    accepted = await call.carry_out(submission)
    return submission, accepted, await changed_resource(call, submission.command, accepted)


async def change(call: Call, data: Any, *, created: str | None = None) -> Answer:
    """Answer with what the operation's command changed; *created* is the collection of a new resource."""
    _, accepted, document = await carry_out(call, data)
    if created is None:
        return command_answer(call, accepted, document)
    changed_id = accepted.stream.partition("-")[2]
    location = f"/api/v1/projects/{call.path['project_id']}/{created}/{changed_id}"
    return command_answer(call, accepted, document, status=201, location=location)


async def execute_on(call: Call, command: Command, named: Any) -> Accepted:
    """Carry out a command without a body on what the path or the query *named*.

    A repeated key must name the same. Earlier releases did not note what was named: their outcomes are
    repeated where the command is about the same stream.
    """
    intake, metadata = call.api.intake, call.command_metadata()
    submission = intake.submit(command, named, metadata)
    if submission.keyed:
        before = intake.submit(command, None, metadata)
        records = call.api.logs.accounts.command_records(submission.command_id)
        stream = COMMAND_TABLE[command.NAME].handler.stream(command)
        if records and (records[0].fingerprint, records[0].stream) == (before.fingerprint, stream):
            submission = before
    return await call.carry_out(submission)

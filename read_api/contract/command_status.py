"""What is known of a command: its outcome, once the log has it."""

import re
from typing import Any

from commands.batch_decider import outcome_of
from commands.outcomes import Accepted
from projections.writes import Document
from read_api.gateway.call import Call
from read_api.problems import BadInputError

_ID = re.compile("[0-9a-f-]{36}")


async def command_status(call: Call, command_id: str) -> Document:
    """Return the status of a command: `accepted`, or `unknown` while the log does not have it.

    Somebody else's command is unknown. Raises BadInputError for a malformed id.
    """
    if not _ID.fullmatch(command_id):
        raise BadInputError("a command's id is a UUID", "command_id")
    await call.api.consistency.required(call.after)
    log, records = call.api.logs.command_records(command_id)
    if not records or not (call.actor.sees_all or records[0].actor == call.actor.id):
        return {"id": command_id, "status": "unknown"}
    accepted = outcome_of(records, log.event(records[0]), log.number)
    return {"id": command_id, "status": "accepted", "stream": accepted.stream, **progress_of(accepted)}


def progress_of(accepted: Accepted) -> dict[str, Any]:
    """Return the version of the stream after a command, and the position after its events."""
    return {"version": accepted.version, "position": accepted.position.token()}

"""What the command line does to an installation: in its own process, or in the server that runs."""

import time
from collections.abc import Callable, Collection
from itertools import islice
from typing import Any, Protocol

from codepark.log_level import LOG_LEVEL, checked_level, share_level
from codepark.profiles.profile import Profile
from commands.bus import accepted
from commands.chain import chain_after
from commands.intake import CommandMetadata
from commands.log import EventLog, Selection
from commands.outcomes import Accepted
from commands.partitions import Logs
from commands.position import Position
from domain.account.commands import ChangeStanding, VerifyAddress
from domain.actor import SERVICE, Role, Tier
from domain.command import Command
from domain.errors import InvalidError, NotFoundError
from domain.identifiers import project_stream
from domain.signing.commands import RotateSigningKey
from projections.queries.access import project_not_found
from projections.store import DeadLetter
from read_api.contract.event_filter import descending, event_filter
from read_api.contract.event_ranges import range_of
from read_api.realtime.events import event_document

_PAGE = 500
_CHUNK = 1_000

Arguments = dict[str, Any]
Result = dict[str, Any]
Operation = Callable[[Profile, Arguments], Result]


class Readable(Protocol):
    """What operations that only look need: a profile has it, and an installation that is only read."""

    @property
    def logs(self) -> Logs[Any]:
        """Return the logs of all partitions."""
        ...

    def dead_letters(self, model: str | None) -> list[DeadLetter]:
        """Return the dead letters."""
        ...

    def included_by_model(self) -> dict[str, int]:
        """Return how many events of all partitions each read model includes."""
        ...

    def misfit(self) -> str | None:
        """Return why the read models were not made from the log, None where they may have been."""
        ...


ReadingOperation = Callable[[Readable, Arguments], Result]


class ChainedLog(EventLog, Protocol):
    """An event log whose chain can be checked from its start."""

    def first_chain(self) -> bytes:
        """Return the predecessor of the first record."""
        ...


def rebuild_model(profile: Profile, arguments: Arguments) -> Result:
    """Rebuild a read model; raises NotFoundError for an unknown name."""
    name = str(arguments.get("model"))
    for model in profile.models:
        if model.name == name:
            sequence = profile.maintenance.rebuild(model, arguments.get("progress"))
            return {"model": name, "sequence": sequence}
    names = ", ".join(model.name for model in profile.models)
    raise NotFoundError(f"there is no read model {name}; there are {names}", code="model_not_found")


def list_dead_letters(installation: Readable, arguments: Arguments) -> Result:
    """List dead letters."""
    return {
        "items": [
            {
                "model": letter.model,
                "stream": letter.stream,
                "partition": letter.partition,
                "sequence": letter.sequence,
                "type": letter.topic,
                "reason": letter.reason,
            }
            for letter in installation.dead_letters(arguments.get("model"))
        ]
    }


def retry_dead_letters(profile: Profile, _arguments: Arguments) -> Result:
    """Retry dead letters in the order of their streams."""
    return profile.maintenance.retry_dead_letters()


def set_account(profile: Profile, arguments: Arguments) -> Result:
    """Give the account with this e-mail address other roles or another tier, or verify the address."""
    account_id = profile.intake.account_with_email(str(arguments["email"]))
    if account_id is None:
        raise NotFoundError(
            f"there is no account with the address {arguments['email']}", code="account_not_found"
        )
    try:
        roles = tuple(Role(role) for role in arguments.get("roles") or ()) or None
        tier = Tier(arguments["tier"]) if arguments.get("tier") else None
    except ValueError as error:
        raise InvalidError(str(error)) from error
    outcome = _carry_out(profile, ChangeStanding(account_id=account_id, roles=roles, tier=tier))
    if arguments.get("verified"):
        outcome = _carry_out(profile, VerifyAddress(account_id=account_id, email_claim=None))
    return {"accountId": account_id, "version": outcome.version, "position": outcome.position.token()}


def events_after(installation: Readable, arguments: Arguments) -> Result:
    """Return events after sequences by partition; `after` of the result is where the next page begins.

    With the order `desc`, they are the newest ones below `before`.
    """
    wanted = event_filter(
        types=arguments.get("type"),
        streams=arguments.get("stream"),
        projects=arguments.get("projects"),
        actors=arguments.get("actor"),
        since=arguments.get("from"),
        until=arguments.get("until"),
    )
    _check_projects(installation.logs, wanted.projects)
    newest_first = descending(arguments.get("order"))
    logs, selection = installation.logs, wanted.selection(newest_first=newest_first)
    place = "before" if newest_first else "after"
    given = {int(number): int(sequence) for number, sequence in (arguments.get(place) or {}).items()}
    whole = range_of(logs, wanted, {} if newest_first else given, logs.tip().sequences)
    reached = {number: last + 1 for number, last in whole.upper.items()} if newest_first else {**given}
    if newest_first:
        reached = {number: min(last, given.get(number, last)) for number, last in reached.items()}
        records = logs.records_before(reached, selection, down_to=whole.lower)
    else:
        records = logs.records(whole.lower, selection, through=whole.upper)
    items = []
    limit = int(arguments.get("limit", _PAGE))
    for log, record in islice(records, limit):
        token = Position.at(record.sequence, record.chain, log.number).token()
        items.append(event_document(log, record, token))
        reached[log.number] = record.sequence
    if not newest_first and len(items) < limit:
        reached = {number: max(last, given.get(number, 0)) for number, last in whole.upper.items()}
    return {"items": items, place: {str(number): sequence for number, sequence in reached.items()}}


def _check_projects(logs: Logs[Any], projects: Collection[str] | None) -> None:
    """Refuse a project that the log has never had; raises NotFoundError."""
    for project_id in sorted(projects or ()):
        if not logs.of(project_id).read(0, 1, Selection(streams=(project_stream(project_id),))):
            raise project_not_found(project_id)


def tip(installation: Readable, _arguments: Arguments) -> Result:
    """Return the sequence of the last event of each partition."""
    return {"sequences": {str(log.number): log.tip().sequence for log in installation.logs}}


def examine(installation: Readable, _arguments: Arguments) -> Result:
    """Check the log's chain from the first record to the last, the dead letters and the read models."""
    findings = (_log_finding, _dead_letter_finding, _read_model_finding)
    return {"findings": [finding(installation) for finding in findings]}


def _log_finding(installation: Readable) -> Result:
    logs = installation.logs
    faults = [fault for log in logs if (fault := _fault(log, len(logs))) is not None]
    count = sum(log.tip().sequence for log in logs)
    detail = "; ".join(faults) or f"{count} events, the chain holds"
    return {"part": "event log", "ok": not faults, "detail": detail}


def _dead_letter_finding(installation: Readable) -> Result:
    letters = installation.dead_letters(None)
    return {
        "part": "dead letters",
        "ok": not letters,
        "detail": f"{len(letters)} events wait" if letters else "none",
    }


def _read_model_finding(installation: Readable) -> Result:
    reason = installation.misfit()
    if reason is not None:
        return {"part": "read models", "ok": False, "detail": f"they do not fit the log: {reason}"}
    included = sorted(installation.included_by_model().items())
    detail = ", ".join(f"{name} {total}" for name, total in included)
    return {"part": "read models", "ok": True, "detail": detail or "none yet: the next start builds them"}


def _fault(log: ChainedLog, partitions: int) -> str | None:
    fault = broken_chain(log)
    return fault if fault is None or partitions == 1 else f"partition {log.number}: {fault}"


def broken_chain(log: ChainedLog) -> str | None:
    """Return what is wrong with the log's chain, None where it holds from the first record to the last."""
    previous, sequence, target = log.first_chain(), 0, log.tip().sequence
    while sequence < target:
        records = log.read(sequence, _CHUNK)
        if not records:
            return f"the records after {sequence} are missing"
        for record in records:
            if record.sequence != sequence + 1:
                return f"record {sequence + 1} is missing"
            previous, sequence = chain_after(previous, record), record.sequence
            if record.chain != previous:
                return f"record {sequence} does not fit the chain: it was altered"
    return None


def rotate_signing_key(profile: Profile, _arguments: Arguments) -> Result:
    """Announce the next generation of the key that signs tokens."""
    outcome = _carry_out(profile, RotateSigningKey(at=int(time.time() * 1000)))
    return {"generation": outcome.version + 1, "position": outcome.position.token()}


def rotate_master_key(profile: Profile, _arguments: Arguments) -> Result:
    """Re-wrap the keys of people with the newest master key."""
    return profile.maintenance.rotate_master_key()


def set_log_level(profile: Profile, arguments: Arguments) -> Result:
    """Log from another level up, in every process that shares the port; raises InvalidError."""
    level = checked_level(str(arguments.get("level")))
    before = LOG_LEVEL.name
    LOG_LEVEL.change(level)
    share_level(profile.settings.processes, level)
    return {"level": level, "before": before}


def _carry_out(profile: Profile, command: Command) -> Accepted:
    submission = profile.intake.submit(command, None, CommandMetadata(actor=SERVICE))
    return accepted(profile.bus.execute_sync([submission])[0])


READING: dict[str, ReadingOperation] = {
    "dead-letters-list": list_dead_letters,
    "events": events_after,
    "tip": tip,
    "examine": examine,
}
"""The operations that only look: they need no more than what can be read."""

OPERATIONS: dict[str, Operation] = {
    **READING,
    "rebuild": rebuild_model,
    "dead-letters-retry": retry_dead_letters,
    "account-set": set_account,
    "rotate-signing-key": rotate_signing_key,
    "rotate-master-key": rotate_master_key,
    "log-level": set_log_level,
}

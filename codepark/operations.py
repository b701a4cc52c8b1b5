"""What the command line does to an installation: here, or inside the server that holds the directory."""

import time
from collections.abc import Callable
from itertools import islice
from typing import Any

from codepark.profiles.profile import Log, Profile
from commands.bus import accepted
from commands.chain import chain_after
from commands.intake import CommandMetadata
from commands.log import Selection
from commands.position import Position
from domain.account.commands import ChangeStanding
from domain.actor import SERVICE, Role, Tier
from domain.errors import InvalidError, NotFoundError
from domain.signing.commands import RotateSigningKey
from read_api.realtime.events import event_document

Operation = Callable[[Profile, dict[str, Any]], dict[str, Any]]


def rebuild_model(profile: Profile, arguments: dict[str, Any]) -> dict[str, Any]:
    """Rebuild a read model; raises NotFoundError for an unknown name."""
    name = str(arguments.get("model"))
    for model in profile.models:
        if model.name == name:
            return {"model": name, "sequence": profile.rebuild(model, arguments.get("progress"))}
    names = ", ".join(model.name for model in profile.models)
    raise NotFoundError(f"there is no read model {name}; there are {names}", code="model_not_found")


def list_dead_letters(profile: Profile, arguments: dict[str, Any]) -> dict[str, Any]:
    """List dead letters."""
    letters = profile.store.dead_letters(arguments.get("model"))
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
            for letter in letters
        ]
    }


def retry_dead_letters(profile: Profile, arguments: dict[str, Any]) -> dict[str, Any]:
    """Retry dead letters in the order of their streams."""
    del arguments
    return profile.retry_dead_letters()


def set_account(profile: Profile, arguments: dict[str, Any]) -> dict[str, Any]:
    """Give the account with this e-mail address other roles or another tier."""
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
    command = ChangeStanding(account_id=account_id, roles=roles, tier=tier)
    submission = profile.intake.submit(command, None, CommandMetadata(actor=SERVICE))
    done = accepted(profile.bus.execute_sync([submission])[0])
    return {"accountId": account_id, "version": done.version, "position": done.position.token()}


def events_after(profile: Profile, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return events behind sequences, which are given by partition; `after` moves on to the last of them."""
    topics = (str(arguments["type"]),) if arguments.get("type") else None
    after = {int(number): int(sequence) for number, sequence in (arguments.get("after") or {}).items()}
    records = profile.logs.records(after, Selection(topics=topics), upto=profile.logs.tip().sequences)
    items = []
    for log, record in islice(records, int(arguments.get("limit", 500))):
        token = Position.at(record.sequence, record.chain, log.number).token()
        items.append(event_document(log, record, token))
        after[log.number] = record.sequence
    return {"items": items, "after": {str(number): sequence for number, sequence in after.items()}}


def tip(profile: Profile, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the sequence of the last event of each partition."""
    del arguments
    return {"sequences": {str(log.number): log.tip().sequence for log in profile.logs}}


def examine(profile: Profile, arguments: dict[str, Any]) -> dict[str, Any]:
    """Check the log's chain from the first record to the last, and what the read models say."""
    del arguments
    faults = [fault for log in profile.logs if (fault := _fault(log, len(profile.logs))) is not None]
    letters = profile.store.dead_letters()
    last = sum(log.tip().sequence for log in profile.logs)
    models = _models(profile)
    findings = [
        {
            "part": "event log",
            "ok": not faults,
            "detail": "; ".join(faults) or f"{last} events, the chain holds",
        },
        {
            "part": "dead letters",
            "ok": not letters,
            "detail": f"{len(letters)} events wait" if letters else "none",
        },
        {
            "part": "read models",
            "ok": all(
                sequence <= log.tip().sequence
                for log in profile.logs
                for sequence in profile.progress.models(log.number).values()
            ),
            "detail": ", ".join(f"{name} {sequence}" for name, sequence in sorted(models.items())),
        },
    ]
    return {"findings": findings}


def _models(profile: Profile) -> dict[str, int]:
    """Return how many events each read model includes."""
    found: dict[str, int] = {}
    for log in profile.logs:
        for name, sequence in profile.progress.models(log.number).items():
            found[name] = found.get(name, 0) + sequence
    return found


def _fault(log: Log, partitions: int) -> str | None:
    fault = broken_chain(log)
    return fault if fault is None or partitions == 1 else f"partition {log.number}: {fault}"


def broken_chain(log: Log) -> str | None:
    """Return what is wrong with the log's chain, None where it holds from the first record to the last."""
    previous, sequence, target = log.first_chain(), 0, log.tip().sequence
    while sequence < target:
        records = log.read(sequence, 1_000)
        if not records:
            return f"the records behind {sequence} are missing"
        for record in records:
            if record.sequence != sequence + 1:
                return f"record {sequence + 1} is missing"
            previous, sequence = chain_after(previous, record), record.sequence
            if record.chain != previous:
                return f"record {sequence} does not fit the chain: it was altered"
    return None


def rotate_signing_key(profile: Profile, arguments: dict[str, Any]) -> dict[str, Any]:
    """Announce the next generation of the key that signs tokens."""
    del arguments
    command = RotateSigningKey(at=int(time.time() * 1000))
    submission = profile.intake.submit(command, None, CommandMetadata(actor=SERVICE))
    done = accepted(profile.bus.execute_sync([submission])[0])
    return {"generation": done.version + 1, "position": done.position.token()}


def rotate_master_key(profile: Profile, arguments: dict[str, Any]) -> dict[str, Any]:
    """Wrap the keys of people anew with the newest master key."""
    del arguments
    return profile.rotate_master_key()


OPERATIONS: dict[str, Operation] = {
    "rebuild": rebuild_model,
    "dead-letters-list": list_dead_letters,
    "dead-letters-retry": retry_dead_letters,
    "account-set": set_account,
    "events": events_after,
    "tip": tip,
    "examine": examine,
    "rotate-signing-key": rotate_signing_key,
    "rotate-master-key": rotate_master_key,
}

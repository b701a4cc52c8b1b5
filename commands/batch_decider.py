"""Decide a batch of commands one after the other, in memory, on the state that the batch itself builds up."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct, structs

from commands.log import CommandEvents, EventLog
from commands.outcomes import REFUSALS, Accepted, KeyReusedError, Outcome, Refused, Submission, refusal_from
from commands.position import Position
from commands.stream_event import StreamEvent
from commands.table.dispatch import carry_out, home_of, stream_of, touched_streams
from commands.unit_of_work import BatchStates, SettledStates, UnitOfWork
from domain.errors import Refusal, StaleVersionError
from domain.event import Event
from domain.identifiers import technical_stream
from domain.log.events import CommandRefused, CommandUnchanged
from domain.record import Record


class Decided(Struct, kw_only=True):
    """A batch before it is settled: what to append, and for each submission how its outcome will be found."""

    batch: BatchStates
    appends: list[CommandEvents]
    pending: list["Pending"]
    partition: int = 0


class Pending(Struct, kw_only=True):
    """The outcome that a submission gets once the batch is settled.

    *append* is the index of what it appends or, for a repeated command, repeats; None where *outcome* is known. With
    *refusal*, what it appends records that refusal.
    """

    command_id: str
    append: int | None = None
    repeats: bool = False
    outcome: Outcome | None = None
    refusal: Refusal | None = None


def decide_batch(
    view: SettledStates,
    log: EventLog,
    submissions: Sequence[Submission],
    now: int,
    tried: AbstractSet[str] = frozenset(),
) -> Decided:
    """Decide *submissions* in order at event time *now*; raises LogUnavailableError.

    *tried* are the ids of those that were decided before and may be stored already, though nobody told.
    """
    decided = Decided(batch=BatchStates(view), appends=[], pending=[], partition=log.number)
    seen: dict[str, int] = {}
    view.prefetch(stream for submission in submissions for stream in touched_streams(submission.command))
    for submission in submissions:
        try:
            pending = _decide(decided, log, submission, seen, now, tried)
        except Refusal as refusal:
            pending = _refused(decided, log, submission, refusal, now)
        decided.pending.append(pending)
    return decided


def _refused(decided: Decided, log: EventLog, submission: Submission, refusal: Refusal, now: int) -> Pending:
    """Return the refusal; where another node may still decide the same attempt, record it first."""
    command_id, attempt = submission.command_id, submission.attempt
    refused = Refused(command_id=command_id, refusal=refusal)
    if attempt is None or not submission.unanswered or log.command_records(attempt):
        return Pending(command_id=command_id, outcome=refused)
    home = home_of(submission.command)
    unit = UnitOfWork(decided.batch, submission.actor)
    unit.record(technical_stream(home), (recorded(refusal, stream_of(submission.command)),))
    unit.commit()
    decided.appends.append(_appended(structs.replace(submission, command_id=attempt), home, unit.events, now))
    return Pending(command_id=command_id, append=len(decided.appends) - 1, refusal=refusal)


def _decide(
    decided: Decided,
    log: EventLog,
    submission: Submission,
    seen: dict[str, int],
    now: int,
    tried: AbstractSet[str],
) -> Pending:
    command_id = submission.command_id
    if submission.attempt is not None:
        _check_attempt(log, submission.attempt)
    if submission.keyed or submission.attempt is not None or command_id in tried:
        repeated = _repeated(decided, log, submission, seen, own=command_id in tried)
        if repeated is not None:
            return repeated
    unit = UnitOfWork(decided.batch, submission.actor)
    stream = carry_out(unit, submission.command)
    _check_version(decided.batch, stream, submission.expected_version)
    home = home_of(submission.command)
    if not unit.events:
        # Without a record, the node that did not answer might decide the same attempt later, and change something.
        if not submission.keyed and not submission.unanswered:
            return Pending(
                command_id=command_id,
                outcome=Accepted(
                    command_id=command_id,
                    stream=stream,
                    version=unit.version(stream),
                    position=Position(),
                    changed=False,
                ),
            )
        unchanged = CommandUnchanged(stream=stream, stream_version=unit.version(stream))
        unit.record(technical_stream(home), (unchanged,))
    unit.commit()
    seen[command_id] = len(decided.appends)
    decided.appends.append(_appended(submission, home, unit.events, now))
    return Pending(command_id=command_id, append=seen[command_id])


def _check_version(batch: BatchStates, stream: str, expected: int | None) -> None:
    actual = batch.get(stream).version
    if expected is not None and expected != actual:
        raise StaleVersionError(expected=expected, actual=actual)


def _check_attempt(log: EventLog, attempt: str) -> None:
    """Refuse an attempt whose refusal another node has recorded."""
    records = log.command_records(attempt)
    if records:
        event = log.event(records[0])
        if isinstance(event, CommandRefused):
            raise refusal_of(event)


def _repeated(
    decided: Decided, log: EventLog, submission: Submission, seen: dict[str, int], *, own: bool
) -> Pending | None:
    """Return the first outcome of a command that was accepted before; raises KeyReusedError.

    *own* tells that it was this very call that had it stored, and did not learn so.
    """
    command_id = submission.command_id
    if command_id in seen:
        index = seen[command_id]
        _check_fingerprint(decided.appends[index].fingerprint, submission)
        return Pending(command_id=command_id, append=index, repeats=True)
    records = log.command_records(command_id)
    if not records:
        return None
    _check_fingerprint(records[0].fingerprint, submission)
    outcome = outcome_of(records, log.event(records[0]), log.number)
    outcome.replayed = not own
    return Pending(command_id=command_id, outcome=outcome, repeats=True)


def _check_fingerprint(known: str | None, submission: Submission) -> None:
    if known != submission.fingerprint:
        raise KeyReusedError("this Idempotency-Key came with another body: use a new key for a new command")


def outcome_of(records: Sequence[Record], first: Event, partition: int = 0) -> Accepted:
    """Read the outcome of a command from what it appended to *partition*."""
    stream, version = about(StreamEvent(records[0].stream, records[0].version, first))
    for record in records:  # a command may append several events to the stream it is about
        if record.stream == stream:
            version = record.version
    last = records[-1]
    position = Position.at(last.sequence, last.chain, partition)
    return Accepted(
        command_id=last.command,
        stream=stream,
        version=version,
        position=position,
        replayed=True,
        changed=not isinstance(first, CommandUnchanged),
    )


def about(first: StreamEvent) -> tuple[str, int]:
    """Return the stream that a command was about and the version it left it at, by its first event."""
    if isinstance(first.event, CommandUnchanged):
        return first.event.stream, first.event.stream_version
    return first.stream, first.version


def recorded(refusal: Refusal, stream: str) -> CommandRefused:
    """Return the event that keeps *refusal*."""
    kind = next(name for name, known in REFUSALS.items() if isinstance(refusal, known))
    return CommandRefused(
        stream=stream, kind=kind, code=refusal.specific_code, message=refusal.message, pointer=refusal.pointer
    )


def refusal_of(event: CommandRefused) -> Refusal:
    """Return the refusal that *event* keeps."""
    return refusal_from(event.kind, event.message, event.code, event.pointer)


def _appended(submission: Submission, home: str, events: list[StreamEvent], now: int) -> CommandEvents:
    return CommandEvents(
        command=submission.command_id,
        home=home,
        fingerprint=submission.fingerprint,
        actor=submission.actor.id,
        correlation=submission.correlation or submission.command_id,
        causation=submission.causation,
        traceparent=submission.traceparent,
        occurred_at=now,
        events=tuple(events),
    )


def settle(decided: Decided, records: Sequence[Record], tip_position: Position) -> list[Outcome]:
    """Return the outcomes, now that the batch is stored as *records*."""
    accepted: list[Accepted] = []
    start = 0
    for append in decided.appends:
        last = records[start + len(append.events) - 1]
        stream, version = about(append.events[0])
        version = max((item.version for item in append.events if item.stream == stream), default=version)
        position = Position.at(last.sequence, last.chain, decided.partition)
        accepted.append(
            Accepted(
                command_id=append.command,
                stream=stream,
                version=version,
                position=position,
                changed=not isinstance(append.events[0].event, CommandUnchanged),
            )
        )
        start += len(append.events)
    return [_settled(pending, accepted, tip_position) for pending in decided.pending]


def _settled(pending: Pending, accepted: list[Accepted], tip_position: Position) -> Outcome:
    if pending.append is not None:
        if pending.refusal is not None:
            return Refused(command_id=pending.command_id, refusal=pending.refusal)
        first = accepted[pending.append]
        if not pending.repeats:
            return first
        return Accepted(
            command_id=first.command_id,
            stream=first.stream,
            version=first.version,
            position=first.position,
            replayed=True,
            changed=first.changed,
        )
    assert pending.outcome is not None  # noqa: S101 # a pending outcome is one or the other
    if isinstance(pending.outcome, Accepted) and not pending.repeats:
        pending.outcome.position = tip_position
    return pending.outcome

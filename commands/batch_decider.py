"""Decides the commands of a batch in order, each on the states that the commands before it lead to."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct, structs

from commands.log import CommandEvents, EventLog, Selection
from commands.outcomes import REFUSALS, Accepted, KeyReusedError, Outcome, Refused, Submission, refusal_from
from commands.position import Position
from commands.stream_event import StreamEvent
from commands.table.dispatch import carry_out, exists, home_of, stream_of, touched_streams
from commands.unit_of_work import BatchStates, SettledStates, UnitOfWork
from domain.errors import Refusal, StaleVersionError
from domain.event import Event
from domain.file.events import FileDeleted, FileWritten
from domain.identifiers import technical_stream
from domain.log.events import CommandRefused, CommandUnchanged
from domain.record import Record


class DecidedBatch(Struct, kw_only=True):
    """A batch that is decided but not stored yet: what to append, and the outcomes that are pending."""

    batch: BatchStates
    appends: list[CommandEvents]
    pending: list["Pending"]
    partition: int = 0


class Pending(Struct, kw_only=True):
    """The outcome that a submission gets once the batch is stored.

    *append* is the index of what the submission appends or, as a repeated command, repeats; None where
    *outcome* is known already. With *refusal*, the appended event records that refusal. *created* says that
    the submission makes what was not there.
    """

    command_id: str
    append: int | None = None
    repeats: bool = False
    outcome: Outcome | None = None
    refusal: Refusal | None = None
    created: bool = False


def decide_batch(
    settled: SettledStates,
    log: EventLog,
    submissions: Sequence[Submission],
    now: int,
    tried: AbstractSet[str] = frozenset(),
) -> DecidedBatch:
    """Decide *submissions* in order at event time *now*; raises LogUnavailableError.

    *tried* are the ids of commands that an earlier attempt may have stored although no acknowledgement came.
    """
    decided = DecidedBatch(batch=BatchStates(settled), appends=[], pending=[], partition=log.number)
    seen: dict[str, int] = {}
    settled.prefetch(stream for submission in submissions for stream in touched_streams(submission.command))
    for submission in submissions:
        try:
            pending = _decide(decided, log, submission, seen, now, tried)
        except Refusal as refusal:
            pending = _refused(decided, log, submission, refusal, now)
        decided.pending.append(pending)
    return decided


def _refused(
    decided: DecidedBatch, log: EventLog, submission: Submission, refusal: Refusal, now: int
) -> Pending:
    """Return the refusal; record it where another node may still decide the same attempt."""
    command_id, attempt = submission.command_id, submission.attempt
    refused = Refused(command_id=command_id, refusal=refusal)
    if attempt is None or not submission.unanswered or log.command_records(attempt):
        return Pending(command_id=command_id, outcome=refused)
    home = home_of(submission.command)
    unit = UnitOfWork(decided.batch, submission.actor)
    unit.record(technical_stream(home), (refusal_event(refusal, stream_of(submission.command)),))
    unit.commit()
    decided.appends.append(_appended(structs.replace(submission, command_id=attempt), home, unit.events, now))
    return Pending(command_id=command_id, append=len(decided.appends) - 1, refusal=refusal)


def _decide(
    decided: DecidedBatch,
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
    existed = _check_condition(decided.batch, stream, submission)
    home = home_of(submission.command)
    if not unit.events:
        version = unit.version(stream)
        # Without a record, the node that did not answer might accept the same attempt later.
        if not submission.keyed and not submission.unanswered:
            return _unchanged(command_id, stream, version)
        unit.record(technical_stream(home), (CommandUnchanged(stream=stream, stream_version=version),))
    unit.commit()
    seen[command_id] = len(decided.appends)
    decided.appends.append(_appended(submission, home, unit.events, now))
    return Pending(command_id=command_id, append=seen[command_id], created=not existed)


def _unchanged(command_id: str, stream: str, version: int) -> Pending:
    """Return an acceptance without events; its position is known once the batch is stored."""
    accepted = Accepted(
        command_id=command_id, stream=stream, version=version, position=Position(), changed=False
    )
    return Pending(command_id=command_id, outcome=accepted)


def _check_condition(batch: BatchStates, stream: str, submission: Submission) -> bool:
    """Return whether what the command is about was there; raises where the sender requires another state."""
    before, expected = batch.get(stream), submission.expected_version
    if expected is not None and expected != before.version:
        raise StaleVersionError(expected=expected, actual=before.version)
    existed = exists(submission.command, before.state)
    if submission.precondition is not None:
        submission.precondition.check(exists=existed, version=before.version)
    return existed


def _check_attempt(log: EventLog, attempt: str) -> None:
    """Refuse an attempt whose refusal another node has recorded."""
    records = log.command_records(attempt)
    if records:
        event = log.event(records[0])
        if isinstance(event, CommandRefused):
            raise refusal_of(event)


def _repeated(
    decided: DecidedBatch, log: EventLog, submission: Submission, seen: dict[str, int], *, own: bool
) -> Pending | None:
    """Return the first outcome of a command that was accepted before; raises KeyReusedError.

    *own* says that this very call stored it, without an acknowledgement: then the outcome is no replay.
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
    outcome.created = _created(log, records[0])
    return Pending(command_id=command_id, outcome=outcome, repeats=True)


def _created(log: EventLog, first: Record) -> bool:
    """Return whether a command's *first* record made what was not there; files alone come back."""
    if first.version == 1 or first.topic != FileWritten.TOPIC:
        return first.version == 1
    before = log.read(first.sequence, 1, Selection(stream=first.stream, newest_first=True))
    return bool(before) and before[0].topic == FileDeleted.TOPIC


def _check_fingerprint(known: str | None, submission: Submission) -> None:
    if known != submission.fingerprint:
        raise KeyReusedError("this Idempotency-Key came with another body: use a new key for a new command")


def outcome_of(records: Sequence[Record], first: Event, partition: int = 0) -> Accepted:
    """Return the outcome of a command, from the *records* that it appended to *partition*."""
    stream, version = subject_of(StreamEvent(records[0].stream, records[0].version, first))
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


def subject_of(first: StreamEvent) -> tuple[str, int]:
    """Return the stream that a command was about, and its version after the command's *first* event."""
    if isinstance(first.event, CommandUnchanged):
        return first.event.stream, first.event.stream_version
    return first.stream, first.version


def refusal_event(refusal: Refusal, stream: str) -> CommandRefused:
    """Return the event that records *refusal*."""
    kind = next(name for name, known in REFUSALS.items() if isinstance(refusal, known))
    return CommandRefused(
        stream=stream, kind=kind, code=refusal.specific_code, message=refusal.message, pointer=refusal.pointer
    )


def refusal_of(event: CommandRefused) -> Refusal:
    """Return the refusal that *event* records."""
    return refusal_from(event.kind, event.message, event.code, event.pointer)


def _appended(submission: Submission, home: str, events: list[StreamEvent], now: int) -> CommandEvents:
    return CommandEvents(
        command=submission.command_id,
        home=home,
        fingerprint=submission.fingerprint,
        actor=submission.actor.id,
        operated_by=submission.actor.operated_by,
        correlation=submission.correlation or submission.command_id,
        causation=submission.causation,
        traceparent=submission.traceparent,
        occurred_at=now,
        events=tuple(events),
    )


def settled_outcomes(
    decided: DecidedBatch, records: Sequence[Record], tip_position: Position
) -> list[Outcome]:
    """Return the outcomes of a batch that is stored as *records*.

    A command that changed nothing gets *tip_position*: the end of the log that it was decided on.
    """
    accepted: list[Accepted] = []
    start = 0
    for append in decided.appends:
        last = records[start + len(append.events) - 1]
        stream, version = subject_of(append.events[0])
        version = max((event.version for event in append.events if event.stream == stream), default=version)
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
    return [_outcome(pending, accepted, tip_position) for pending in decided.pending]


def _outcome(pending: Pending, accepted: list[Accepted], tip_position: Position) -> Outcome:
    if pending.append is not None:
        if pending.refusal is not None:
            return Refused(command_id=pending.command_id, refusal=pending.refusal)
        first = accepted[pending.append]
        first.created |= pending.created
        return structs.replace(first, replayed=True) if pending.repeats else first
    assert pending.outcome is not None  # noqa: S101 # a pending outcome is one or the other
    if isinstance(pending.outcome, Accepted) and not pending.repeats:
        pending.outcome.position = tip_position
    return pending.outcome

"""The history that a fresh reader counts, and every state between two of its commands."""

from dataclasses import dataclass, field

from commands.batch_decider import outcome_of
from commands.kafka.protocol.chain_rule import ChainRule, CountedMessage
from commands.kafka.protocol.message import Message
from commands.outcomes import Accepted, Submission
from domain.account.commands import RegisterAccount
from domain.file.commands import DeleteFile, WriteFile
from domain.identifiers import claim_stream, file_stream, project_stream
from domain.log.events import CommandRefused, LogFenced
from domain.project.commands import CreateProject, UpdateProject
from domain.project.events import ProjectCreated, ProjectUpdated
from domain.record import Record
from tests.simulation.broker import SimulatedBroker
from tests.simulation.node import MAPPER


@dataclass
class State:
    """What refusals depend on: versions, names, files, and the bodies that came with keys."""

    versions: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    files: dict[str, str | None] = field(default_factory=dict)
    bodies: dict[str, str | None] = field(default_factory=dict)

    def copy(self) -> "State":
        return State(dict(self.versions), dict(self.names), dict(self.files), dict(self.bodies))

    def take(self, record: Record) -> None:
        """Apply *record*."""
        event = MAPPER.event(record.topic, record.schema, record.data)
        self.versions[record.stream] = record.version
        if record.commit_index == 1:
            self.bodies[record.command] = record.fingerprint
        if isinstance(event, ProjectCreated | ProjectUpdated):
            self.names[record.stream] = event.name
        elif record.stream.startswith("file-"):
            self.files[record.stream] = getattr(event, "content", None)

    def refuses(self, submission: Submission) -> bool:
        """Return whether *submission* must be refused in this state."""
        if submission.command_id in self.bodies:
            return self.bodies[submission.command_id] != submission.fingerprint
        command = submission.command
        if isinstance(command, RegisterAccount):
            return claim_stream(command.name_claim) in self.versions
        stream = stream_of(submission)
        exists = project_stream(command.project_id) in self.names
        if exists is isinstance(command, CreateProject):
            return True
        if isinstance(command, DeleteFile) and self.files.get(stream) is None:
            return True
        expected = submission.expected_version
        return expected is not None and expected != self.versions.get(stream, 0)

    def unchanged(self, submission: Submission) -> bool:
        """Return whether *submission* changes nothing in this state."""
        command, stream = submission.command, stream_of(submission)
        if isinstance(command, UpdateProject):
            return self.names.get(stream) == command.changes["name"]
        return isinstance(command, WriteFile) and self.files.get(stream) == command.content


def stream_of(submission: Submission) -> str:
    """Return the stream that the submission is about."""
    command = submission.command
    if isinstance(command, WriteFile | DeleteFile):
        return file_stream(command.project_id, command.path)
    return project_stream(command.project_id)


@dataclass
class Effect:
    """A command that counts: its records, when they landed, and the state before and after it."""

    records: list[Record]
    landed: float
    before: State
    after: State

    @property
    def outcome(self) -> Accepted:
        first = self.records[0]
        return outcome_of(self.records, MAPPER.event(first.topic, first.schema, first.data))

    @property
    def technical(self) -> bool:
        """Return whether it is a fence or a recorded refusal, which no client submitted."""
        first = self.records[0]
        return first.topic in {LogFenced.TOPIC, CommandRefused.TOPIC}


class History:
    """Everything that counts by the chain rule, from the first offset."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self.records: list[Record] = []
        self.effects: list[Effect] = []
        self.voids: list[Message] = []
        self.forks: list[Message] = []
        rule, offsets = ChainRule(0), []
        for message in broker.log:
            if message is None:
                continue
            verdict = rule.judge(message)
            if not isinstance(verdict, CountedMessage):
                self.voids.append(message)
                self.forks += [message] * verdict.false_history
            elif verdict.record is not None:
                self.records.append(verdict.record)
                offsets.append(message.offset)
        self._group(broker, offsets)

    def _group(self, broker: SimulatedBroker, offsets: list[int]) -> None:
        state, start = State(), 0
        for index, record in enumerate(self.records):
            if record.commit_index < record.commit_count:
                continue
            before, state = state, state.copy()
            for item in self.records[start : index + 1]:
                state.take(item)
            landed = broker.landed_at[offsets[index]]
            self.effects.append(Effect(self.records[start : index + 1], landed, before, state))
            start = index + 1

    def states(self, since: float, until: float) -> list[State]:
        """Return the states that held at some moment from *since* to *until*."""
        states = [State()]
        for effect in self.effects:
            if effect.landed <= since:
                states = [effect.after]
            elif effect.landed <= until:
                states.append(effect.after)
        return states

"""The command side of the embedded profile over a temporary directory, without HTTP."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from commands.bus import CommandBus, accepted
from commands.intake import CommandMetadata, Intake
from commands.keys import PersonalCipher
from commands.kms import LocalKms
from commands.mapper import EventMapper
from commands.outcomes import Accepted, Outcome, Submission
from commands.secrets import Secrets
from commands.sqlite.keys import SQLiteKeyStore
from commands.sqlite.log import SQLiteEventLog
from commands.table.registry import CLIENT_COMMANDS
from domain.actor import Actor, Role
from domain.command import Command

SECRETS = Secrets(bytes(range(32)))
ADA = Actor(id="01900000-0000-7000-8000-00000000000a", roles=frozenset({Role.USER}))
BOB = Actor(id="01900000-0000-7000-8000-00000000000b", roles=frozenset({Role.USER}))


class Commands:
    """A log with its keys, an intake and a bus."""

    def __init__(self, path: Path, clock: Any = None) -> None:
        self.keys = SQLiteKeyStore(path / "keys.sqlite", LocalKms(SECRETS.master_key))
        self.mapper = EventMapper(PersonalCipher(self.keys))
        self.log = SQLiteEventLog(path / "log.sqlite", self.mapper)
        self.intake = Intake(SECRETS, self.log)
        self.bus = CommandBus(self.log, clock) if clock else CommandBus(self.log)

    def submission(self, type_name: str, actor: Actor = ADA, target: str = "", **fields: Any) -> Submission:
        """Return the submission of a command with these fields; `key` and `expected` accompany it."""
        request = CommandMetadata(
            actor=actor, key=fields.pop("key", None), expected_version=fields.pop("expected", None)
        )
        cls = CLIENT_COMMANDS[type_name].input
        data = msgspec.json.decode(msgspec.json.encode(cls(**fields)), type=cls)  # as from a client
        return self.intake.submission(type_name, data, request, target=target)

    def outcomes(self, *submissions: Submission) -> list[Outcome]:
        return self.bus.execute_sync(submissions)

    def do(self, type_name: str, actor: Actor = ADA, target: str = "", **fields: Any) -> Accepted:
        """Carry out a command, which must be accepted."""
        return accepted(self.outcomes(self.submission(type_name, actor, target, **fields))[0])

    def carry_out(self, command: Command, actor: Actor) -> Accepted:
        """Carry out a command that clients cannot send; it must be accepted."""
        return accepted(self.outcomes(self.intake.submit(command, None, CommandMetadata(actor=actor)))[0])

    def project(self, name: str = "p", actor: Actor = ADA, **fields: Any) -> str:
        """Create a project and return its id."""
        return self.do("project.create", actor, name=name, **fields).stream.removeprefix("project-")

    def topics(self, after: int = 0) -> Sequence[str]:
        return [record.topic for record in self.log.read(after, 10_000)]

    def close(self) -> None:
        self.bus.close()
        self.log.close()
        self.keys.close()

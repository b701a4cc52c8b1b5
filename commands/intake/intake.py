"""The one way from a caller's input to a submission; REST, batches and the importer all take it."""

from typing import Any

import msgspec
from msgspec import Struct
from uuid_utils import uuid7

from commands.handlers import home_of
from commands.intake.builders import COMMAND_TYPES, Place, created_id, keyed_command_id
from commands.log import EventLog
from commands.outcomes import Submission
from commands.secrets import Secrets
from domain.account.events import ClaimTaken
from domain.actor import Actor
from domain.command import Command
from domain.identifiers import claim_stream


class Request(Struct, frozen=True, kw_only=True):
    """What accompanies an input: who sends it, and the headers that matter."""

    actor: Actor
    key: str | None = None
    expected_version: int | None = None
    correlation: str | None = None
    causation: str | None = None
    traceparent: str | None = None


class Intake:
    """Build commands, give them their ids and fingerprints."""

    def __init__(self, secrets: Secrets, log: EventLog) -> None:
        """Derive claims with *secrets*; look names up in *log*."""
        self._secrets = secrets
        self._log = log

    def submission(self, type_name: str, data: Any, request: Request, *, target: str = "") -> Submission:
        """Return the submission of the command *type_name* that *data* describes.

        Raises:
            Refusal: the data breaks a rule that needs no state.
            KeyError: there is no such type of command.
        """
        new_id = (
            created_id(request.actor.id, target, request.key) if request.key is not None else str(uuid7())
        )
        place = Place(
            target=target,
            new_id=new_id,
            account=request.actor.id,
            secrets=self._secrets,
            account_named=self.account_named,
        )
        command = COMMAND_TYPES[type_name].build(data, place)
        return self.submit(command, (type_name, target, data), request)

    def submit(self, command: Command, body: Any, request: Request) -> Submission:
        """Return the submission of a command that was built from *body*."""
        key, actor = request.key, request.actor
        if key is None:
            command_id, fingerprint = str(uuid7()), None
        else:
            command_id = keyed_command_id(actor.id, home_of(command), key)
            encoded = msgspec.json.encode((command.type_name(), body))
            fingerprint = self._secrets.keyed_hash("fingerprint", encoded.decode())
        return Submission(
            command=command,
            command_id=command_id,
            actor=actor,
            keyed=key is not None,
            fingerprint=fingerprint,
            expected_version=request.expected_version,
            correlation=request.correlation,
            causation=request.causation,
            traceparent=request.traceparent,
        )

    def account_named(self, name: str) -> str | None:
        """Return the account that holds *name*."""
        return self._holder("name", name)

    def account_with_email(self, email: str) -> str | None:
        """Return the account that holds *email*."""
        return self._holder("email", email)

    def claim(self, kind: str, value: str) -> str:
        """Return the claim of a name or an e-mail address."""
        return self._secrets.claim(kind, value)

    def _holder(self, kind: str, value: str) -> str | None:
        last = self._log.last_event(claim_stream(self._secrets.claim(kind, value)))
        return last.event.account_id if last and isinstance(last.event, ClaimTaken) else None

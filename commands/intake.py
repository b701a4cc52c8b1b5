"""The one way from a caller's input to a submission: REST, GraphQL, batches and the importer all take it."""

from typing import Any

import msgspec
from msgspec import Struct
from uuid_utils import uuid7

from commands.claims import claim_of, holder_of_email, holder_of_name
from commands.log import EventLog
from commands.outcomes import Submission
from commands.precondition import Precondition
from commands.secrets import Secrets
from commands.table.dispatch import home_of
from commands.table.registry import CLIENT_COMMANDS
from commands.table.row import BuildContext
from domain.actor import Actor
from domain.command import Command
from domain.identifiers import derived_uuid
from telemetry import tracing


class CommandMetadata(Struct, frozen=True, kw_only=True):
    """What accompanies an input: the actor, the idempotency *key*, and values of the request's headers.

    *scope* names who shares the key; None stands for the actor alone.
    """

    actor: Actor
    key: str | None = None
    scope: str | None = None
    expected_version: int | None = None
    precondition: Precondition | None = None
    correlation: str | None = None
    causation: str | None = None
    traceparent: str | None = None


class Intake:
    """Builds commands and gives them their ids and fingerprints."""

    def __init__(self, secrets: Secrets, log: EventLog) -> None:
        """Derive claims with *secrets*; look names up in *log*."""
        self._secrets = secrets
        self._log = log

    def submission(
        self, type_name: str, data: Any, metadata: CommandMetadata, *, target: str = ""
    ) -> Submission:
        """Return the submission of the command *type_name* that *data* describes.

        Raises:
            Refusal: the data breaks a rule that needs no state.
            KeyError: callers cannot send commands of this type.
        """
        key, account = metadata.key, metadata.actor.id
        context = BuildContext(
            target=target,
            new_id=str(uuid7()) if key is None else created_id(account, target, key),
            account=account,
            secrets=self._secrets,
            account_named=self.account_named,
        )
        command = CLIENT_COMMANDS[type_name].build(data, context)
        return self.submit(command, (type_name, target, data), metadata)

    def submit(self, command: Command, body: Any, metadata: CommandMetadata) -> Submission:
        """Return the submission of a command that was built from *body*."""
        key, actor = metadata.key, metadata.actor
        if key is None:
            command_id, fingerprint = str(uuid7()), None
        else:
            command_id = keyed_command_id(metadata.scope or actor.id, home_of(command), key)
            encoded = msgspec.json.encode((command.NAME, body))
            fingerprint = self._secrets.keyed_hash("fingerprint", encoded.decode())
        return Submission(
            command=command,
            command_id=command_id,
            actor=actor,
            keyed=key is not None,
            fingerprint=fingerprint,
            expected_version=metadata.expected_version,
            precondition=metadata.precondition,
            correlation=metadata.correlation,
            causation=metadata.causation,
            traceparent=tracing.current().traceparent or metadata.traceparent,
        )

    def account_named(self, name: str) -> str | None:
        """Return the id of the account that holds *name*; None where nobody does."""
        return holder_of_name(self._log, self._secrets, name)

    def account_with_email(self, email: str) -> str | None:
        """Return the id of the account that holds *email*; None where nobody does."""
        return holder_of_email(self._log, self._secrets, email)

    def claim(self, kind: str, value: str) -> str:
        """Return the claim of *value*, whose *kind* is `name` or `email`."""
        return claim_of(self._secrets, kind, value)


def created_id(account: str, target: str, key: str) -> str:
    """Return the id of what a command with an idempotency key creates: a retry creates the same thing."""
    return derived_uuid("create", account, target, key)


def keyed_command_id(scope: str, home: str, key: str) -> str:
    """Return the id of a command with an idempotency key, which is valid in *scope* and for the home key.

    The scope is the caller's id, unless callers without one need another.
    """
    return derived_uuid("command", scope, home, key)

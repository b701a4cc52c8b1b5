"""The ids of requests in the log: what a client chose as text is encrypted under the key of its sender."""

import re

from commands.keys import PersonalCipher
from commands.log import CommandEvents, LogUnavailableError
from domain.record import Record

_RANDOM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENCRYPTED = "~"  # no request id and no earlier record begins with it
_CONTEXT = "request"
_SERVICE = "service:"


class RequestIds:
    """Stores the ids of requests so that they are erased with the person who sent the request.

    An id that this server made is a random number, and is stored as it is. A text that a client chose may say
    anything: it is stored encrypted under the person's key, or not at all where the key is not at hand, for
    commands do not wait for it.
    """

    def __init__(self, personal: PersonalCipher) -> None:
        """Encrypt and decrypt with *personal*."""
        self._personal = personal

    def stored(self, command: CommandEvents) -> str:
        """Return what the log stores as the correlation of a command."""
        given = command.correlation
        if given == command.command or _RANDOM.fullmatch(given) or command.actor.startswith(_SERVICE):
            return given
        encrypted = self._personal.encrypt_at_hand(command.actor, _CONTEXT, given.encode())
        return command.command if encrypted is None else _ENCRYPTED + encrypted

    def shown(self, record: Record) -> tuple[str, str | None]:
        """Return the correlation and the trace context of a record, of an erased person's neither.

        The command's id takes the place of a correlation that cannot be read.
        """
        person, correlation = record.actor, record.correlation
        if person.startswith(_SERVICE):
            return correlation, record.traceparent
        try:
            if person and self._personal.is_erased(person):
                return record.command, None
            if correlation.startswith(_ENCRYPTED):
                correlation = self._decrypted(person, record)
        except (LogUnavailableError, ValueError):
            return record.command, None
        return correlation, record.traceparent

    def _decrypted(self, person: str, record: Record) -> str:
        encrypted = record.correlation.removeprefix(_ENCRYPTED)
        plain = self._personal.decrypt(person, _CONTEXT, encrypted) if person else None
        return record.command if plain is None else plain.decode()

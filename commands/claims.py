"""The claims of e-mail addresses and names: keyed hashes, so that the log does not reveal them."""

from typing import Protocol

from commands.secrets import Secrets
from commands.stream_event import StreamEvent
from domain.account.events import AccountProfileChanged, AccountRegistered, ClaimTaken
from domain.addresses import address_key, old_address_keys
from domain.identifiers import account_stream, claim_stream


class ReadsStreams(Protocol):
    """The part of an event log that finds the holders of claims."""

    def stream_events(self, stream: str, after: int = 0) -> list[StreamEvent]:
        """Return the stream's events with a version above *after*."""
        ...

    def last_event(self, stream: str) -> StreamEvent | None:
        """Return the stream's last event."""
        ...


def claim_of(secrets: Secrets, kind: str, value: str) -> str:
    """Return the claim of *value*, whose *kind* is `name` or `email`."""
    if kind == "email":
        return secrets.keyed_hash(kind, address_key(value))
    return secrets.claim(kind, value)


def holder_of_name(log: ReadsStreams, secrets: Secrets, name: str) -> str | None:
    """Return the id of the account that holds *name*; None where nobody does."""
    return _holder(log, claim_of(secrets, "name", name))


def holder_of_email(log: ReadsStreams, secrets: Secrets, email: str) -> str | None:
    """Return the id of the account that holds *email*; None where nobody does.

    An account of a release without the rule for addresses may hold its address under another claim.
    """
    holder = _holder(log, claim_of(secrets, "email", email))
    if holder is not None or email.isascii():
        return holder
    key = address_key(email)
    for old in old_address_keys(email):
        account = _holder(log, secrets.keyed_hash("email", old))
        if account is not None and address_key(_address_of(log, account)) == key:
            return account
    return None


def _holder(log: ReadsStreams, claim: str) -> str | None:
    last = log.last_event(claim_stream(claim))
    return last.event.account_id if last and isinstance(last.event, ClaimTaken) else None


def _address_of(log: ReadsStreams, account_id: str) -> str:
    events = [stored.event for stored in log.stream_events(account_stream(account_id))]
    profiles = [event for event in events if isinstance(event, AccountRegistered | AccountProfileChanged)]
    return next((event.email for event in reversed(profiles) if event.email is not None), "")

"""What people said of themselves when they opened their accounts, and since."""

from commands.log import EventLog
from domain.account.events import AccountProfileChanged, AccountRegistered
from domain.identifiers import account_stream

Profile = AccountRegistered | AccountProfileChanged


def profiles_of(log: EventLog, account_id: str) -> list[tuple[int, Profile]]:
    """Return the events of *log* that carry a person's data, in order, each with its version."""
    stored = log.stream_events(account_stream(account_id))
    return [(each.version, each.event) for each in stored if isinstance(each.event, Profile)]

"""The decider of the notifications of an account."""

from msgspec import Struct

from domain.actor import Actor
from domain.errors import ForbiddenError, InvalidError
from domain.inbox.commands import ReadNotifications
from domain.inbox.events import NotificationsRead
from domain.limits import ID_LENGTH, READ_IDS
from domain.policy import permit
from domain.text import checked_line


class Inbox(Struct, frozen=True, kw_only=True):
    """The ids that were read last; all that were ever read would grow without bound."""

    last: tuple[str, ...]


INITIAL = Inbox(last=())


def decide(inbox: Inbox, command: ReadNotifications, actor: Actor) -> tuple[NotificationsRead, ...]:
    """Return the events that *command* causes, or refuse it.

    Reading all is recorded each time: the state does not know which notifications have arrived since.
    """
    permit(actor, command.NAME)
    if actor.id != command.account_id:
        raise ForbiddenError("only the account itself may mark its notifications as read")
    if command.ids is None:
        return (NotificationsRead(account_id=command.account_id, ids=None),)
    ids = _checked_ids(command.ids)
    if not ids or ids == inbox.last:
        return ()
    return (NotificationsRead(account_id=command.account_id, ids=ids),)


def evolve(inbox: Inbox, event: NotificationsRead) -> Inbox:  # noqa: ARG001 # the event determines the state alone
    """Return the inbox after *event*."""
    return Inbox(last=event.ids or ())


def _checked_ids(ids: tuple[str, ...]) -> tuple[str, ...]:
    if len(ids) > READ_IDS:
        raise InvalidError(f"name at most {READ_IDS} notifications at once", pointer="/ids")
    lines = (checked_line(id_, pointer=f"/ids/{index}", longest=ID_LENGTH) for index, id_ in enumerate(ids))
    return tuple(dict.fromkeys(lines))

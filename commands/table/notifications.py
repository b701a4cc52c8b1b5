"""The command with which an account marks its notifications as read."""

from typing import Annotated

from msgspec import Meta

from commands.table.fields import Input, NotificationId
from commands.table.handler import Handler, on_stream
from commands.table.row import BuildContext, ClientCommandRow
from domain.identifiers import inbox_stream
from domain.inbox.commands import ReadNotifications
from domain.inbox.decider import decide
from domain.limits import READ_IDS


class NotificationsInput(Input):
    """The notifications to mark as read; without *ids*, all."""

    ids: Annotated[tuple[NotificationId, ...], Meta(max_length=READ_IDS)] | None = None


def _read(data: NotificationsInput, context: BuildContext) -> ReadNotifications:
    return ReadNotifications(account_id=context.account, ids=data.ids)


def _home(command: ReadNotifications) -> str:
    return command.account_id


def _stream(command: ReadNotifications) -> str:
    return inbox_stream(command.account_id)


ROWS = (
    ClientCommandRow(
        ReadNotifications,
        Handler(home=_home, stream=_stream, run=on_stream(decide)),
        NotificationsInput,
        _read,
        targeted=False,
    ),
)

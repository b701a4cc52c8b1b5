"""The command that announces something to everybody."""

from commands.table.fields import Input, Text, Title
from commands.table.handler import Handler
from commands.table.row import BuildContext, ClientCommandRow
from commands.unit_of_work import UnitOfWork
from domain.announcement.commands import PublishAnnouncement
from domain.announcement.decider import decide
from domain.identifiers import announcement_stream


class AnnouncementInput(Input):
    """An announcement to everybody."""

    title: Title
    text: Text


def _publish(data: AnnouncementInput, context: BuildContext) -> PublishAnnouncement:
    return PublishAnnouncement(announcement_id=context.new_id, title=data.title, text=data.text)


def _home(command: PublishAnnouncement) -> str:
    return command.announcement_id


def _stream(command: PublishAnnouncement) -> str:
    return announcement_stream(command.announcement_id)


def _run(unit: UnitOfWork, stream: str, command: PublishAnnouncement) -> None:
    if unit.version(stream) == 0:
        unit.record(stream, decide(command, unit.actor))


ROWS = (
    ClientCommandRow(
        PublishAnnouncement,
        Handler(home=_home, stream=_stream, run=_run),
        AnnouncementInput,
        _publish,
        targeted=False,
    ),
)

"""The decider of announcements."""

from domain.actor import Actor
from domain.announcement.commands import PublishAnnouncement
from domain.announcement.events import AnnouncementPublished
from domain.limits import TEXT_LENGTH, TITLE_LENGTH
from domain.policy import permit
from domain.text import checked_line, checked_words


def decide(command: PublishAnnouncement, actor: Actor) -> tuple[AnnouncementPublished, ...]:
    """Return the events that *command* causes, or refuse it.

    An announcement never changes, so there is no state to decide on: the handler calls this for new ones
    alone.
    """
    permit(actor, command.NAME)
    published = AnnouncementPublished(
        announcement_id=command.announcement_id,
        title=checked_line(command.title, pointer="/title", longest=TITLE_LENGTH),
        text=checked_words(command.text, pointer="/text", longest=TEXT_LENGTH),
    )
    return (published,)

"""The commands of announcements."""

from domain.command import Command
from domain.policy import administrator


class PublishAnnouncement(Command, tag="announcement.publish", rule=administrator()):
    """Announce something to everybody."""

    announcement_id: str
    title: str
    text: str

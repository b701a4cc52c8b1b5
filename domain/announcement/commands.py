"""What may be asked of announcements."""

from domain.command import Command
from domain.policy import administrator


class PublishAnnouncement(Command, tag="announcement.publish", rule=administrator()):
    """Tell everybody something."""

    announcement_id: str
    title: str
    text: str

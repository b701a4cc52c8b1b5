"""What may be asked of announcements."""

from domain.command import Command


class PublishAnnouncement(Command, tag="announcement.publish"):
    """Tell everybody something."""

    announcement_id: str
    title: str
    text: str

"""The events of announcements."""

from domain.event import Event


class AnnouncementPublished(Event, topic="announcement.published", version=1):
    """An administrator announced something to everybody."""

    announcement_id: str
    title: str
    text: str

"""What happens to announcements."""

from domain.event import Event


class AnnouncementPublished(Event, topic="announcement.published", version=1):
    """An administrator told everybody something."""

    announcement_id: str
    title: str
    text: str

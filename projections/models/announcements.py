"""Announcements to everybody."""

from collections.abc import Iterable

from domain.announcement.events import AnnouncementPublished
from domain.record import Record
from domain.times import rfc3339
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Put, Write

ANNOUNCEMENTS = "announcements"


def _published(event: AnnouncementPublished, record: Record) -> Iterable[Write]:
    document = {
        "id": event.announcement_id,
        "title": event.title,
        "text": event.text,
        "authorId": record.actor,
        "createdAt": rfc3339(record.occurred_at),
    }
    return (Put(ANNOUNCEMENTS, event.announcement_id, document),)


MODEL = read_model(
    ANNOUNCEMENTS,
    {AnnouncementPublished: _published},
    Collection(name=ANNOUNCEMENTS, indexes=(("createdAt",),)),
    answers_commands=True,
)

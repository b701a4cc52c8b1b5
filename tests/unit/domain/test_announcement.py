import pytest

from domain.announcement.commands import PublishAnnouncement
from domain.announcement.decider import decide
from domain.announcement.events import AnnouncementPublished
from domain.limits import TEXT_LENGTH, TITLE_LENGTH
from tests.unit.domain.people import ADMIN, ANONYMOUS, AUDITOR, OWNER
from tests.unit.domain.scenario import Outcome

WORDS = {"announcement_id": "a1", "title": "Maintenance", "text": "Tonight."}


def publish(actor, **fields):
    return Outcome(lambda: decide(PublishAnnouncement(**{**WORDS, **fields}), actor))


def test_publish():
    publish(ADMIN).then(AnnouncementPublished(**WORDS))


@pytest.mark.parametrize(
    ("actor", "code"),
    [(OWNER, "role_required"), (AUDITOR, "role_required"), (ANONYMOUS, "authentication_required")],
)
def test_only_administrators_publish(actor, code):
    publish(actor).refused(code)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "t" * (TITLE_LENGTH + 1)),
        ("title", "a\nb"),
        ("text", "\n"),
        ("text", "t" * (TEXT_LENGTH + 1)),
    ],
)
def test_invalid_words(field, value):
    publish(ADMIN, **{field: value}).refused("invalid", f"/{field}")

"""Every document is written by events of one home: one position guards it, however many partitions exist."""

from msgspec import structs

from domain.feedback.events import FeedbackGiven
from domain.file.events import Encoding
from domain.identifiers import ACCOUNTS_HOME
from domain.inbox.events import NotificationsRead
from domain.mail.events import MailKind, MailSent
from domain.preferences.events import NotificationPreferencesChanged
from domain.registry import EVENTS
from projections.insights_model import insights_model
from projections.models import READ_MODELS
from tests.golden_files import event_of
from tests.support.records import a_record

PEOPLE, PROJECTS = ("ann", "ben"), ("engine", "loom")
PERSONS = frozenset({"account_id", "owner_id", "author_id", "reviewer_id", "review_author_id"})
OUTSIDE = ("account.", "claim.")
SAME_FROM_EVERY_HOME = {"active_people"}
"""Collections whose documents are the same whatever event writes them, and are never changed or deleted."""


class NoAnalyser:
    """An analyser that must not be called."""

    def analyse(self, path, content):
        raise AssertionError("a content that is not readable is not measured")


def home_of(event):
    if event.TOPIC.startswith(OUTSIDE):
        return ACCOUNTS_HOME
    if isinstance(event, NotificationsRead | NotificationPreferencesChanged | MailSent):
        return event.account_id
    if isinstance(event, FeedbackGiven):
        return event.author_id
    return getattr(event, "project_id", None) or getattr(event, "announcement_id", "technical")


def samples():
    """Yield an event of each type for each project and person, with its home.

    People, paths and digests are the same everywhere; things of a project have ids of their own.
    """
    for cls in EVENTS:
        for project in PROJECTS:
            for person in PEOPLE:
                event = event_of(cls)
                changes = {}
                for name in event.__struct_fields__:
                    if name == "project_id":
                        changes[name] = project
                    elif name in PERSONS:
                        changes[name] = person
                    elif name == "mentions":
                        changes[name] = PEOPLE
                    elif name.endswith("_id"):
                        changes[name] = f"{name} of {project}"
                    elif name == "encoding":
                        changes[name] = Encoding.BASE64
                event = structs.replace(event, **changes)
                yield event, home_of(event)


def record(event, home, sequence):
    return a_record(
        home=home,
        version=sequence,
        topic=event.TOPIC,
        sequence=sequence,
        command=f"{home}-{sequence}",
        actor="nobody",
    )


def test_every_document_is_written_from_one_home():
    models = (*READ_MODELS, insights_model(NoAnalyser()))
    writers, sequences = {}, {}

    def project(event, home):
        sequence = sequences[home] = sequences.get(home, 0) + 1  # every home in a partition of its own
        for model in models:
            for write in model.project(event, record(event, home, sequence)):
                writers.setdefault((write.collection, write.id), set()).add(home)

    for event, home in samples():
        project(event, home)
    for person in PEOPLE:
        own = tuple(
            id_ for collection, id_ in writers if collection == "notifications" and id_.endswith(person)
        )
        assert own
        project(NotificationsRead(account_id=person, ids=own), person)
        project(NotificationsRead(account_id=person, ids=None), person)
        project(MailSent(account_id=person, kind=MailKind.NOTIFICATIONS, through=1), person)
    assert {collection.name for model in models for collection in model.collections} == {
        c for c, _ in writers
    }
    shared = {collection for (collection, _), homes in writers.items() if len(homes) > 1}
    assert shared <= SAME_FROM_EVERY_HOME

"""How an account wants to hear of news, and what a mail about its news tells."""

from msgspec import to_builtins

from domain.actor import Actor
from domain.preferences.defaults import DEFAULTS
from domain.preferences.events import MailTime
from projections.models.mail import MAILED, PREFERENCES
from projections.queries.inbox import InboxQueries
from projections.queries.page import PageRequest
from projections.store import DocumentStore
from projections.writes import Document

_MOST_NEWS = 50

NEWS = {
    "mentioned": "mentioned",
    "review_commented": "reviewDecided",
    "review_decided": "reviewDecided",
    "collaborator_added": "roleChanged",
    "collaborator_removed": "roleChanged",
}
"""By the kind of a notification: the preference that is about it."""


class MailQueries:
    """Find preferences, and news that an account was not told of by mail."""

    def __init__(self, store: DocumentStore, inbox: InboxQueries) -> None:
        """Read from *store*; *inbox* finds the notifications."""
        self._store = store
        self._inbox = inbox

    def preferences(self, account_id: str) -> Document:
        """Return how an account hears of news; of one that never said so, how a new account does."""
        stored = self._store.get(PREFERENCES, account_id)
        if stored is not None:
            return {name: value for name, value in stored.items() if name != "id"}
        document: Document = to_builtins(DEFAULTS)
        return document

    def mail_time(self, account_id: str, kind: str) -> MailTime:
        """Return when a mail tells the account of notifications of this *kind*."""
        return MailTime(self.preferences(account_id)[NEWS[kind]]["mail"])

    def news(self, actor: Actor) -> list[Document]:
        """Return up to 50 unread notifications that mail may tell of and has not, the newest first."""
        mailed = self._store.get(MAILED, actor.id)
        through = "" if mailed is None else mailed["through"]
        preferences = self.preferences(actor.id)
        page = self._inbox.notifications(PageRequest(limit=_MOST_NEWS), actor, unread=True)
        return [
            each
            for each in page.items
            if each["createdAt"] > through and preferences[NEWS[each["kind"]]]["mail"] != MailTime.OFF
        ]

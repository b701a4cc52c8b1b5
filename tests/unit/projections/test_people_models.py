"""The read models of accounts, announcements and notifications."""

import pytest

from domain.account.events import (
    AccountErased,
    AccountProfileChanged,
    AccountRegistered,
    AccountStandingChanged,
    AddressVerified,
)
from domain.actor import Role, Tier
from domain.announcement.events import AnnouncementPublished
from domain.inbox.events import NotificationsRead
from domain.project.events import CollaboratorAdded, CollaboratorRemoved, CollaboratorRole
from domain.review.events import Decision, ReviewCommented, ReviewDecided, ReviewOpened
from projections.models import accounts, announcements, notifications
from tests.support.records import OCCURRED_AT_TEXT

REGISTERED = AccountRegistered(
    account_id="a",
    email="a@example.org",
    name="ann",
    password_hash="secret",
    email_claim="e",
    name_claim="n",
    roles=(Role.USER,),
    tier=Tier.FREE,
    verified=False,
)


def test_an_account_shows_nothing_that_signs_it_in(documents):
    assert documents(accounts.MODEL).given(REGISTERED)["accounts"]["a"] == {
        "id": "a",
        "email": "a@example.org",
        "emailVerified": False,
        "name": "ann",
        "nameKeys": [{"key": "ann"}],
        "addressKeys": [{"key": "a@example.org"}],
        "roles": ["user"],
        "tier": "free",
        "version": 1,
        "createdAt": OCCURRED_AT_TEXT,
        "updatedAt": OCCURRED_AT_TEXT,
    }


def test_an_account_changes_profile_and_standing(documents):
    profile = AccountProfileChanged(
        account_id="a", email=None, name="bea", email_claim=None, name_claim="m", verified=None
    )
    standing = AccountStandingChanged(account_id="a", roles=(Role.ADMIN,), tier=Tier.PRO)
    account = documents(accounts.MODEL).given(REGISTERED, profile, standing)["accounts"]["a"]
    assert (account["email"], account["name"]) == ("a@example.org", "bea")
    assert (account["roles"], account["tier"], account["version"]) == (["admin"], "pro", 3)
    assert account["emailVerified"] is False


def test_an_account_shows_whether_its_address_is_verified(documents):
    verified = AddressVerified(account_id="a")
    moved = AccountProfileChanged(
        account_id="a", email="b@example.org", name=None, email_claim="f", name_claim=None, verified=False
    )
    given = documents(accounts.MODEL)
    assert given.given(REGISTERED, verified)["accounts"]["a"]["emailVerified"] is True
    assert given.given(REGISTERED, verified, moved)["accounts"]["a"]["emailVerified"] is False


def test_an_announcement_names_its_author(documents):
    event = AnnouncementPublished(announcement_id="n", title="t", text="x")
    assert documents(announcements.MODEL).given(event, actor="admin")["announcements"] == {
        "n": {"id": "n", "title": "t", "text": "x", "authorId": "admin", "createdAt": OCCURRED_AT_TEXT}
    }


def opened(*mentions):
    return ReviewOpened(
        project_id="p",
        review_id="r",
        author_id="author",
        title="t",
        description="",
        commits=(),
        mentions=mentions,
    )


def commented(*mentions):
    return ReviewCommented(
        project_id="p",
        review_id="r",
        comment_id="c",
        review_author_id="author",
        author_id="b",
        text="x",
        path=None,
        line=None,
        mentions=mentions,
    )


def test_a_notification(documents):
    event = CollaboratorAdded(project_id="p", account_id="b", role=CollaboratorRole.VIEWER)
    assert documents(notifications.MODEL).given(event, actor="a")["notifications"] == {
        "c1-1:b": {
            "id": "c1-1:b",
            "accountId": "b",
            "kind": "collaborator_added",
            "projectId": "p",
            "reviewId": None,
            "actorId": "a",
            "createdAt": OCCURRED_AT_TEXT,
        }
    }


@pytest.mark.parametrize(
    ("event", "actor", "notified"),
    [
        (opened("b", "c"), "author", {"b": "mentioned", "c": "mentioned"}),
        (opened("author"), "author", {}),
        (commented(), "b", {"author": "review_commented"}),
        (commented(), "author", {}),
        (commented("author", "c"), "b", {"author": "mentioned", "c": "mentioned"}),
        (
            ReviewDecided(
                project_id="p",
                review_id="r",
                review_author_id="author",
                reviewer_id="b",
                decision=Decision.APPROVED,
                text="",
            ),
            "b",
            {"author": "review_decided"},
        ),
        (CollaboratorRemoved(project_id="p", account_id="b"), "a", {"b": "collaborator_removed"}),
        (CollaboratorRemoved(project_id="p", account_id="b"), "b", {}),
    ],
)
def test_who_is_notified_of_what(documents, event, actor, notified):
    stored = documents(notifications.MODEL).given(event, actor=actor)["notifications"].values()
    assert {notification["accountId"]: notification["kind"] for notification in stored} == notified


def test_reading_some_notifications(documents):
    given = documents(notifications.MODEL).given(opened("b", "c"), actor="author")
    given.given(NotificationsRead(account_id="b", ids=("c1-1:b", "c1-1:b", "c1-1:c", "none")), actor="b")
    assert given["read_notifications"] == {"c1-1:b": {"id": "c1-1:b", "accountId": "b"}}
    assert set(given["notifications"]) == {"c1-1:b", "c1-1:c"}


def test_reading_all_notifications(documents):
    given = documents(notifications.MODEL).given(opened("b"), actor="author")
    given.given(NotificationsRead(account_id="b", ids=None), actor="b")
    assert given["inboxes"] == {"b": {"id": "b", "readThrough": OCCURRED_AT_TEXT}}


def test_nothing_of_an_erased_person_is_searched(documents):
    erased = AccountErased(account_id="a", authors=())
    account = documents(accounts.MODEL).given(REGISTERED, erased)["accounts"]["a"]
    assert (account["nameKeys"], account["addressKeys"]) == ([], [])

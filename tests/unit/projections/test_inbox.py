"""Notifications joined with what was read of them: right for every filter, on every page."""

import inspect
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actor import Actor
from domain.times import rfc3339
from projections.models import accounts, notifications, projects, reviews
from projections.queries import inbox
from projections.queries.inbox import InboxQueries
from projections.queries.mail import NEWS
from projections.queries.notification_texts import KINDS
from projections.queries.page import PageRequest
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Change, Checkpoint
from projections.writes import Put
from tests.support.proof import size

ADA, BOB = Actor(id="ada"), Actor(id="bob")


def notification(number, time, account="ada", kind="mentioned", project="p", review=None):
    id_ = f"c{number}-1:{account}"
    document = {
        "id": id_,
        "accountId": account,
        "kind": kind,
        "projectId": project,
        "reviewId": review,
        "actorId": "b",
        "createdAt": rfc3339(time),
    }
    return Put("notifications", id_, document)


def project(id_, visibility):
    document = {
        "id": id_,
        "name": f"The {id_}",
        "visibility": visibility,
        "ownerId": "bob",
        "collaborators": [],
    }
    return Put("projects", id_, document)


def store_of(*writes):
    store = SQLiteDocumentStore(None)
    store.prepare([notifications.MODEL, projects.MODEL, reviews.MODEL, accounts.MODEL])
    put = [(1, [project("p", "public")]), (2, [project("secret", "private")])]
    store.apply([Change(model="projects", writes=put, checkpoint=Checkpoint(sequence=2))])
    named = [(1, [Put("reviews", "r", {"id": "r", "projectId": "p", "title": "Faster", "sequence": 5})])]
    store.apply([Change(model="reviews", writes=named, checkpoint=Checkpoint(sequence=1))])
    named = [(1, [Put("accounts", "b", {"id": "b", "name": "bob"})])]
    store.apply([Change(model="accounts", writes=named, checkpoint=Checkpoint(sequence=1))])
    change = Change(
        model="notifications",
        writes=list(enumerate(([w] for w in writes), 1)),
        checkpoint=Checkpoint(sequence=1),
    )
    store.apply([change])
    return store


def everything(queries, unread, limit):
    """Return the items of all pages."""
    items, page = [], PageRequest(limit=limit)
    while True:
        answer = queries.notifications(page, ADA, unread=unread)
        assert len(answer.items) <= limit
        items += answer.items
        if answer.next_cursor is None:
            return items
        page = PageRequest(limit=limit, cursor=answer.next_cursor)


TIMES = st.lists(st.integers(0, 5), max_size=25)


@settings(max_examples=size(60, 1_000), deadline=None)
@given(
    times=TIMES,
    read=st.sets(st.integers(0, 24)),
    through=st.none() | st.integers(0, 5),
    unread=st.none() | st.booleans(),
    limit=st.integers(1, 6),
    bound=st.integers(1, 8),
)
def test_all_pages_together_hold_what_the_filter_allows(times, read, through, unread, limit, bound):
    own = [notification(number, time) for number, time in enumerate(times)]
    others = [notification(number, time, "bob") for number, time in enumerate(times)]
    marks = [Put("read_notifications", w.id, {"id": w.id}) for n, w in enumerate(own) if n in read]
    all_read = (
        [] if through is None else [Put("inboxes", "ada", {"id": "ada", "readThrough": rfc3339(through)})]
    )
    store = store_of(*own, *others, *marks, *all_read)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "_SCANNED", bound)
        patch.setattr(inbox, "_CHUNK", max(bound // 2, 1))
        items = everything(InboxQueries(store), unread, limit)
    expected = {
        w.id: number in read or (through is not None and times[number] <= through)
        for number, w in enumerate(own)
    }
    wanted = sorted(
        (w.document["createdAt"], w.id) for w in own if unread is None or expected[w.id] is not unread
    )
    assert [(item["createdAt"], item["id"]) for item in items] == wanted[::-1]
    assert all(item["read"] is expected[item["id"]] for item in items)
    store.close()


def test_what_is_shown_names_no_account():
    store = store_of(notification(1, 0))
    (item,) = InboxQueries(store).notifications(PageRequest(), ADA, unread=None).items
    shown = {
        "id",
        "kind",
        "title",
        "project",
        "link",
        "projectId",
        "reviewId",
        "actorId",
        "read",
        "createdAt",
    }
    assert set(item) == shown
    assert InboxQueries(store).notifications(PageRequest(), BOB, unread=True).items == []
    store.close()


@pytest.mark.parametrize("unread", [None, True, False])
def test_notifications_of_projects_that_the_account_may_not_see_are_not_shown(unread):
    hidden = [notification(number, number, project="secret") for number in range(30)]
    removed = notification(40, 0, kind="collaborator_removed", project="secret")
    read = Put("read_notifications", removed.id, {"id": removed.id})
    store = store_of(*hidden, removed, *([read] if unread is False else []))
    assert [item["id"] for item in everything(InboxQueries(store), unread, 5)] == [removed.id]
    store.close()


def test_a_member_is_notified_in_a_private_project():
    store = store_of(notification(1, 0, account="bob", project="secret"))
    assert len(InboxQueries(store).notifications(PageRequest(), BOB, unread=True).items) == 1
    store.close()


@pytest.mark.parametrize(
    ("kind", "review", "title", "link"),
    [
        ("collaborator_added", None, "bob added you to The p", "/api/v1/projects/p"),
        ("mentioned", "r", "bob mentioned you in the review “Faster”", "/api/v1/projects/p/reviews/r"),
        ("review_commented", "r", "bob commented on the review “Faster”", "/api/v1/projects/p/reviews/r"),
        ("review_decided", "gone", "bob decided about a review", "/api/v1/projects/p/reviews/gone"),
    ],
)
def test_a_notification_says_what_happened_and_where(kind, review, title, link):
    store = store_of(notification(1, 0, kind=kind, review=review))
    (item,) = InboxQueries(store).notifications(PageRequest(), ADA, unread=None).items
    assert (item["title"], item["link"]) == (title, link)
    assert item["project"] == {"id": "p", "name": "The p"}
    store.close()


def test_a_notification_about_a_hidden_project_does_not_name_it():
    store = store_of(notification(1, 0, kind="collaborator_removed", project="secret"))
    (item,) = InboxQueries(store).notifications(PageRequest(), ADA, unread=None).items
    assert (item["title"], item["project"], item["link"]) == ("bob removed you from a project", None, None)
    store.close()


def test_a_review_of_a_private_time_is_not_named_to_others():
    store = store_of(notification(1, 0, review="r"))
    private = {"id": "p", "name": "The p", "visibility": "public", "ownerId": "bob", "collaborators": []}
    writes = [(3, [Put("projects", "p", {**private, "privateSpans": [[1, 9]]})])]
    store.apply([Change(model="projects", writes=writes, checkpoint=Checkpoint(sequence=3))])
    (item,) = InboxQueries(store).notifications(PageRequest(), ADA, unread=None).items
    assert item["title"] == "bob mentioned you in a review"
    store.close()


def test_every_kind_of_notification_has_a_title():
    source = inspect.getsource(notifications)
    kinds = set(re.findall(r'"((?:collaborator|review)_\w+|mentioned)"', source)) - {"review_id"}
    assert kinds - {notifications.NOTIFICATIONS, notifications.READ} == set(KINDS) == set(NEWS)

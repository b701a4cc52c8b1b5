"""Projects with the accounts of their collaborators, against composing by hand."""

import pytest

from domain.account.events import AccountRegistered
from domain.actor import Role, Tier
from domain.project.events import (
    CollaboratorAdded,
    CollaboratorRemoved,
    CollaboratorRole,
    ProjectCreated,
    ProjectDeleted,
    Visibility,
)
from domain.record import Record
from projections.models import accounts, projects
from projections.mongodb.aggregations import projects_with_collaborators
from projections.store import Change, Checkpoint, Equals, Query
from projections.writes import Delete

pytestmark = pytest.mark.integration

PEOPLE = [f"person-{number}" for number in range(6)]


def history():
    for id_ in PEOPLE:
        yield AccountRegistered(
            account_id=id_,
            email=f"{id_}@example.org",
            name=id_.upper(),
            password_hash="x",
            email_claim=id_,
            name_claim=id_,
            roles=(Role.USER,),
            tier=Tier.FREE,
        )
    for number in range(8):
        yield ProjectCreated(
            project_id=f"p{number}",
            owner_id=PEOPLE[number % 2],
            name=f"n{number}",
            description="",
            visibility=Visibility.PUBLIC,
            language=None,
        )
        for id_ in [*PEOPLE[number % 6 :], "nobody"]:
            yield CollaboratorAdded(project_id=f"p{number}", account_id=id_, role=CollaboratorRole.EDITOR)
    yield CollaboratorRemoved(project_id="p1", account_id=PEOPLE[3])
    yield ProjectDeleted(project_id="p2")


def record(event, sequence):
    return Record(
        source="s",
        home="h",
        stream="stream",
        version=sequence,
        topic=event.TOPIC,
        schema=1,
        data=b"",
        sequence=sequence,
        at=sequence - 1,
        command=f"c{sequence}",
        commit_index=1,
        commit_count=1,
        occurred_at=1_700_000_000_000 + sequence,
        actor="owner",
        correlation="c",
        causation=None,
        traceparent=None,
        fingerprint=None,
    )


@pytest.fixture
def store(new_store):
    models = [accounts.MODEL, projects.MODEL]
    made = new_store(models)
    events = [(at, event, record(event, at)) for at, event in enumerate(history(), start=1)]
    made.apply(
        [
            Change(
                model=model.name,
                writes=[(at, tuple(model.project(event, item))) for at, event, item in events],
                checkpoint=Checkpoint(sequence=len(events)),
            )
            for model in models
        ]
    )
    last = len(events) + 1
    gone = (last, (Delete("accounts", PEOPLE[5]),))
    made.apply([Change(model="accounts", writes=[gone], checkpoint=Checkpoint(sequence=last))])
    return made


def by_hand(store, *where, limit=20):
    query = Query(collection="projects", where=where, sort="createdAt", descending=True, limit=limit)
    for project in store.find(query):
        ids = [item["userId"] for item in project["collaborators"]]
        found = store.get_many("accounts", ids)
        joined = [{"id": id_, "name": found[id_]["name"]} for id_ in ids if id_ in found]
        yield {**project, "collaboratorCount": len(ids), "collaboratorAccounts": joined}


@pytest.mark.parametrize("where", [(), (Equals("ownerId", PEOPLE[0]),), (Equals("ownerId", "nobody"),)])
@pytest.mark.parametrize("limit", [3, 20])
def test_it_equals_what_is_composed_by_hand(store, where, limit):
    assert projects_with_collaborators(store, where, limit=limit) == list(by_hand(store, *where, limit=limit))


def test_it_shows_names_and_nothing_else_of_accounts(store):
    found = {project["id"]: project for project in projects_with_collaborators(store)}
    assert sorted(found) == ["p0", "p1", "p3", "p4", "p5", "p6", "p7"]
    assert found["p4"]["collaboratorCount"] == 3, "one is deleted, one never was, both are named"
    assert found["p4"]["collaboratorAccounts"] == [{"id": "person-4", "name": "PERSON-4"}]

"""One rule of visibility: commands, queries about one project and lists agree for every project and actor."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from domain.actor import Actor, Role
from domain.project import access
from domain.project.decider import INITIAL, evolve
from domain.project.events import (
    CollaboratorAdded,
    CollaboratorRemoved,
    CollaboratorRole,
    ProjectCreated,
    ProjectDeleted,
    Visibility,
)
from projections.models.projects import MODEL, PROJECTS
from projections.queries.access import may_see, visible_projects, visible_scopes
from projections.sqlite import SQLiteDocumentStore
from projections.store import Change, Checkpoint, Query
from tests.support.records import a_record

PEOPLE = ("ada", "bob", "cleo")


class Sample(Struct):
    """What a generated project is made of."""

    visibility: Visibility
    owner: str
    collaborators: dict[str, CollaboratorRole]
    removed: frozenset[str]
    deleted: bool


people = st.sampled_from(PEOPLE)
samples = st.builds(
    Sample,
    visibility=st.sampled_from(Visibility),
    owner=people,
    collaborators=st.dictionaries(people, st.sampled_from(CollaboratorRole), max_size=3),
    removed=st.frozensets(people),
    deleted=st.booleans(),
)
actors = st.builds(
    Actor, id=st.sampled_from(("", *PEOPLE, "dan")), roles=st.frozensets(st.sampled_from(Role))
)


def history(id_, sample):
    """Return the events that make *sample* the project *id_*."""
    fields = {"project_id": id_, "owner_id": sample.owner, "visibility": sample.visibility}
    yield ProjectCreated(**fields, name=id_, description="", language=None)
    for account, role in sample.collaborators.items():
        yield CollaboratorAdded(project_id=id_, account_id=account, role=role)
    for account in sample.removed & sample.collaborators.keys():
        yield CollaboratorRemoved(project_id=id_, account_id=account)
    if sample.deleted:
        yield ProjectDeleted(project_id=id_)


def state_of(events):
    state = INITIAL
    for event in events:
        state = evolve(state, event)
    return state


def store_of(events):
    """Return a store with the documents that *events* make."""
    store = SQLiteDocumentStore(None)
    store.prepare([MODEL])
    writes = [
        (at, tuple(MODEL.project(event, a_record(topic=event.TOPIC, sequence=at, version=at))))
        for at, event in enumerate(events, start=1)
    ]
    store.apply([Change(model=MODEL.name, writes=writes, checkpoint=Checkpoint(sequence=len(writes)))])
    return store


@settings(deadline=None)
@given(projects=st.lists(samples, max_size=6), actor=actors)
def test_commands_queries_and_lists_agree(projects, actor):
    histories = {f"p{number}": list(history(f"p{number}", each)) for number, each in enumerate(projects)}
    visible = {id_ for id_, events in histories.items() if access.may_see(state_of(events), actor)}
    store = store_of([event for events in histories.values() for event in events])
    documents = store.get_many(PROJECTS, list(histories))
    scopes = visible_scopes(actor)
    assert {id_ for id_, document in documents.items() if may_see(document, actor)} == visible
    assert set(visible_projects(store, list(histories), actor)) == visible
    assert {document["id"] for document in store.find(Query(collection=PROJECTS, scopes=scopes))} == visible
    store.close()


@given(sample=samples, actor=actors)
def test_an_actor_sees_each_project_in_which_they_have_a_role(sample, actor):
    project = state_of(history("p", sample))
    if access.role_of(project, actor) is not None:
        assert access.may_see(project, actor)

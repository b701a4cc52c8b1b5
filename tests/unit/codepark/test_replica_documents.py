"""Documents of some projects and accounts in memory: what is read from where, and what is left out."""

import pytest

from codepark import replica_documents, routed_store
from codepark.replica_documents import Loading, Recent, ReplicaDocuments
from domain.errors import NotFoundError
from projections.insights_model import insights_model
from projections.models import READ_MODELS
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Checkpoint, StoreUnavailableError
from streams.batch_projection import decode
from streams.batch_projection import project as project_batch
from tests.support.inline_analyser import InlineAnalyser
from tests.support.profile import ADA


class Present:
    """The read models of the present, which only insights are asked of."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} was asked of the present")


@pytest.fixture
def documents():
    return ReplicaDocuments(Present(), READ_MODELS, lambda _: None)


def records_of(commands, project):
    return [(project, record) for record in commands.log.read(0, 100) if record.home == project]


def test_a_subject_is_there_once_its_records_are(commands, documents):
    project = commands.project("engine")
    assert not documents.has(project)
    documents.add(commands.log, records_of(commands, project))
    assert documents.has(project)
    assert documents.queries.projects.get_bare(project, ADA)["name"] == "engine"


def test_a_subject_that_was_not_added_is_not_found(commands, documents):
    one, two = commands.project("one"), commands.project("two")
    documents.add(commands.log, records_of(commands, one))
    with pytest.raises(NotFoundError):
        documents.queries.projects.get_bare(two, ADA)


def test_records_that_are_known_are_left_out(commands, documents):
    project = commands.project("engine")
    first = records_of(commands, project)
    documents.add(commands.log, first)
    commands.do("project.update", target=project, name="machine")
    documents.add(commands.log, records_of(commands, project))
    documents.add(commands.log, first)
    shown = documents.queries.projects.get_bare(project, ADA)
    assert (shown["name"], shown["version"]) == ("machine", 2)


def test_subjects_may_be_added_in_any_order(commands, documents):
    one, two = commands.project("one"), commands.project("two")
    documents.add(commands.log, records_of(commands, two))
    documents.add(commands.log, records_of(commands, one))
    assert [documents.queries.projects.get_bare(each, ADA)["name"] for each in (one, two)] == ["one", "two"]


def test_files_are_noted_because_their_answers_show_insights(commands, documents):
    project = commands.project()
    documents.add(commands.log, records_of(commands, project))
    assert not documents.with_files(project)
    commands.do("file.write", target=project, path="a", content="1")
    documents.add(commands.log, records_of(commands, project))
    assert documents.with_files(project)


class Insights(SQLiteDocumentStore):
    """Read models with insights that may be unavailable."""

    def __init__(self, models):
        super().__init__(None)
        self.prepare(models)
        self.unavailable = False

    def totals_by(self, *arguments):
        if self.unavailable:
            raise StoreUnavailableError("no primary")
        return super().totals_by(*arguments)


def test_insights_that_cannot_be_read_are_shown_as_pending(commands, monkeypatch):
    """An answer with a complexity of zero must not look like one that was measured."""
    models = (*READ_MODELS, insights_model(InlineAnalyser()))
    present, pending = Insights(models), set()
    documents = ReplicaDocuments(present, models, lambda _: None, insights_pending=pending.intersection)
    project = commands.project()
    commands.do("file.write", target=project, path="a.py", content="def f(a):\n    return a or 1\n")
    records = records_of(commands, project)
    documents.add(commands.log, records)

    def shown():
        documents.look_again(project)
        answer = documents.queries.projects.get(project, ADA)
        return answer["aiInsights"]["complexity"], answer["insightsPending"]

    pending.add(project)
    assert shown() == (0, True)
    present.unavailable = True
    pending.clear()
    assert shown() == (0, True)
    batch = decode(commands.log, [record for _, record in records])
    present.apply([project_batch(models[-1], batch, Checkpoint(), 2)])
    present.unavailable = False
    monkeypatch.setattr(routed_store, "RECENT_SECONDS", 0.0)
    assert shown() == (2, False), "insights change without an event of the project"


@pytest.mark.parametrize(("name", "limit"), [("_MOST_EVENTS", 2), ("_MOST_BYTES", 10)])
def test_they_are_full_at_some_size(commands, documents, monkeypatch, name, limit):
    project = commands.project()
    assert not documents.full
    monkeypatch.setattr(replica_documents, name, limit)
    for number in range(3):
        commands.do("project.update", target=project, name=f"n{number}")
    documents.add(commands.log, records_of(commands, project))
    assert documents.full


def test_only_models_that_answer_commands_are_projected(commands, documents):
    project = commands.project()
    documents.add(commands.log, records_of(commands, project))
    assert documents._store.count("projects") == 1
    assert documents._store.count("activity") == 0


class Counted:
    """A store that counts what SQLite is asked."""

    def __init__(self, documents):
        self.documents = documents
        self.questions = []

    def remembered(self, collection, id_):
        return self.documents.get(id_)

    def get(self, collection, id_):
        self.questions.append((collection, id_))

    def get_many(self, collection, ids):
        self.questions.append((collection, tuple(ids)))
        return {id_: {"id": id_} for id_ in ids}

    def count(self, collection):
        return 7


def test_a_recent_document_costs_no_question():
    store = Counted({"a": {"id": "a"}})
    recent = Recent(store)
    assert recent.get("c", "a") == {"id": "a"}
    assert recent.get_many("c", ["a"]) == {"a": {"id": "a"}}
    assert store.questions == []
    assert recent.get("c", "b") is None
    assert set(recent.get_many("c", ["a", "b"])) == {"a", "b"}
    assert store.questions == [("c", "b"), ("c", ("b",))]
    assert recent.count("c") == 7


def test_an_account_is_loaded_before_it_is_read():
    loaded, store = [], SQLiteDocumentStore(None)
    store.prepare(READ_MODELS)
    loading = Loading(store, loaded.append)
    assert loading.get("accounts", "a") is None
    assert loading.get_many("accounts", ["b", "c"]) == {}
    assert loading.count("accounts") == 0
    assert loaded == ["a", "b", "c"]
    store.close()

"""The read models of projects, files and suggestions."""

from domain.file.events import Encoding, FileDeleted, FileWritten
from domain.project.events import (
    CollaboratorAdded,
    CollaboratorRemoved,
    CollaboratorRole,
    CollaboratorRoleChanged,
    ProjectCreated,
    ProjectDeleted,
    ProjectUpdated,
    Visibility,
)
from domain.suggestion.events import SuggestionAccepted, SuggestionDismissed
from projections.models import READ_MODELS, files, projects, suggestions
from projections.models.languages import language_of
from tests.support.records import OCCURRED_AT_TEXT

CREATED = ProjectCreated(
    project_id="p", owner_id="owner", name="n", description="d", visibility=Visibility.PRIVATE, language=None
)
WRITTEN = FileWritten(
    project_id="p", path="src/a.py", content="x", encoding=Encoding.UTF8, size=1, digest="d", commit=None
)


def joined(account, role=CollaboratorRole.EDITOR):
    return CollaboratorAdded(project_id="p", account_id=account, role=role)


def test_a_new_project(documents):
    assert documents(projects.MODEL).given(CREATED)["projects"]["p"] == {
        "id": "p",
        "name": "n",
        "description": "d",
        "visibility": "private",
        "language": None,
        "ownerId": "owner",
        "collaborators": [],
        "privateSpans": [[1, None]],
        "version": 1,
        "createdAt": OCCURRED_AT_TEXT,
        "updatedAt": OCCURRED_AT_TEXT,
    }


def test_an_update_sets_all_fields_of_the_project_itself(documents):
    updated = ProjectUpdated(
        project_id="p",
        name="m",
        description="e",
        visibility=Visibility.PUBLIC,
        language="Python",
        publish_history=False,
    )
    project = documents(projects.MODEL).given(CREATED, updated)["projects"]["p"]
    assert (project["name"], project["visibility"], project["language"]) == ("m", "public", "Python")
    assert (project["version"], project["ownerId"]) == (2, "owner")
    assert project["privateSpans"] == [[1, 2]]


def test_collaborators_come_change_and_go(documents):
    given = documents(projects.MODEL).given(CREATED, joined("a"), joined("b"))
    viewer = CollaboratorRoleChanged(project_id="p", account_id="a", role=CollaboratorRole.VIEWER)
    given.given(viewer)
    project = given["projects"]["p"]
    assert project["collaborators"] == [{"userId": "a", "role": "viewer"}, {"userId": "b", "role": "editor"}]
    given.given(CollaboratorRemoved(project_id="p", account_id="a"))
    project = given["projects"]["p"]
    assert (project["collaborators"], project["version"]) == ([{"userId": "b", "role": "editor"}], 5)


def test_a_deleted_project_has_no_document(documents):
    assert documents(projects.MODEL).given(CREATED, ProjectDeleted(project_id="p"))["projects"] == {}


def test_a_file_and_its_content(documents):
    given = documents(files.MODEL).given(WRITTEN)
    assert given["files"]["p/src/a.py"] == {
        "id": "p/src/a.py",
        "projectId": "p",
        "path": "src/a.py",
        "version": 1,
        "size": 1,
        "language": "Python",
        "encoding": "utf-8",
        "digest": "d",
        "updatedAt": OCCURRED_AT_TEXT,
        "commit": None,
    }
    assert given["contents"]["p/src/a.py"] == {
        "id": "p/src/a.py",
        "content": "x",
        "encoding": "utf-8",
        "version": 1,
    }


def test_a_deleted_file_and_its_content_have_no_documents(documents):
    given = documents(files.MODEL).given(WRITTEN, FileDeleted(project_id="p", path="src/a.py", commit=None))
    assert (given["files"], given["contents"]) == ({}, {})


def test_languages():
    paths = ["a/b.PY", "Makefile", "x.tar.unknown", "py", ".py", "a.b/c", "docker/Dockerfile"]
    expected = ["Python", "Makefile", None, None, "Python", None, "Dockerfile"]
    assert [language_of(path) for path in paths] == expected


def test_the_last_verdict_on_a_suggestion_counts(documents):
    given = documents(suggestions.MODEL).given(
        SuggestionAccepted(project_id="p", suggestion_id="s"),
        SuggestionDismissed(project_id="p", suggestion_id="s"),
    )
    assert given["suggestions"] == {
        "p/s": {"id": "p/s", "projectId": "p", "suggestionId": "s", "status": "dismissed"}
    }


def test_models_and_collections_have_names_of_their_own():
    names = [collection.name for model in READ_MODELS for collection in model.collections]
    assert len(names) == len(set(names))
    assert len({model.name for model in READ_MODELS}) == len(READ_MODELS)


def test_events_that_do_not_concern_a_model_do_nothing(documents):
    assert documents(files.MODEL).given(CREATED).stored == {}

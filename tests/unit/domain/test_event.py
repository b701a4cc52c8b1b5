import msgspec
import pytest

from domain.event import PERSONAL, Event, event_class, event_topics, latest_version
from domain.project.events import ProjectCreated, ProjectDeleted, Visibility
from domain.review.events import ReviewOpened


def test_an_event_has_a_stored_name():
    assert (ProjectDeleted.TOPIC, ProjectDeleted.VERSION, ProjectDeleted.SUBJECT) == (
        "project.deleted",
        1,
        "",
    )
    assert event_class("project.deleted") is ProjectDeleted
    assert latest_version("project.deleted") == 1
    assert "project.deleted" in event_topics()


def test_events_are_keyword_only_and_frozen():
    with pytest.raises(TypeError):
        ProjectDeleted("p1")
    with pytest.raises(AttributeError):
        ProjectDeleted(project_id="p1").project_id = "p2"


def test_the_json_of_an_event():
    event = ProjectCreated(
        project_id="p1", owner_id="o", name="n", description="", visibility=Visibility.PUBLIC, language=None
    )
    data = msgspec.json.encode(event)
    assert data == (
        b'{"projectId":"p1","ownerId":"o","name":"n","description":"","visibility":"public","language":null}'
    )
    assert msgspec.json.decode(data, type=ProjectCreated) == event


def test_personal_fields_are_marked():
    fields = {field.name: field.type for field in msgspec.inspect.type_info(ReviewOpened).fields}
    assert fields["title"].extra == {PERSONAL: True}
    assert not isinstance(fields["author_id"], msgspec.inspect.Metadata)


def test_a_stored_name_is_used_once():
    with pytest.raises(TypeError, match=r"project\.deleted"):

        class Again(Event, topic="project.deleted", version=2):
            pass

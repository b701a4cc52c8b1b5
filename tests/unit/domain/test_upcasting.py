import pytest

from domain.event import Event
from domain.upcasting import UnknownEventError, event_type, event_versions, upcast, upcaster


class Third(Event, topic="test.upcasting_third", version=3):
    name: str
    language: str | None
    size: int


class Gapped(Event, topic="test.upcasting_gapped", version=3):
    name: str


@upcaster("test.upcasting_third", from_version=1)
def _with_language(data):
    return {**data, "language": None}


@upcaster("test.upcasting_third", from_version=2)
def _with_size(data):
    return {**data, "size": len(str(data["name"]))}


@upcaster("test.upcasting_gapped", from_version=1)
def _same(data):
    return data


def test_one_step_after_another():
    assert upcast("test.upcasting_third", 1, {"name": "abc"}) == {"name": "abc", "language": None, "size": 3}


def test_from_the_middle():
    data = {"name": "abc", "language": "C"}
    assert upcast("test.upcasting_third", 2, data) == {**data, "size": 3}
    assert data == {"name": "abc", "language": "C"}


def test_the_latest_version_stays():
    data = {"name": "abc", "language": "C", "size": 9}
    assert upcast("test.upcasting_third", 3, data) is data


@pytest.mark.parametrize("version", [0, -1, 4])
def test_a_version_that_never_was(version):
    with pytest.raises(UnknownEventError, match="versions 1 to 3") as caught:
        upcast("test.upcasting_third", version, {})
    assert (caught.value.topic, caught.value.version) == ("test.upcasting_third", version)


def test_a_missing_step():
    with pytest.raises(UnknownEventError, match="no upcaster from version 2"):
        upcast("test.upcasting_gapped", 1, {"name": "abc"})


def test_an_unknown_topic():
    for ask in (event_type, event_versions, lambda topic: upcast(topic, 1, {})):
        with pytest.raises(UnknownEventError, match=r"test\.never"):
            ask("test.never")


def test_class_and_versions_of_a_topic():
    assert event_type("test.upcasting_third") is Third
    assert event_versions("test.upcasting_third") == 3


def test_a_step_is_registered_once():
    with pytest.raises(TypeError, match="two upcasters"):
        upcaster("test.upcasting_third", from_version=1)(dict)

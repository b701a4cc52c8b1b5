"""The filters of `codepark events`: those of the HTTP surface, over the whole log."""

import json

import pytest

from codepark.operations import events_after
from domain.errors import InvalidError, NotFoundError
from tests.support.partitions import memory_logs


class Profile:
    """The part of a profile that the operation reads."""

    def __init__(self):
        self.logs = memory_logs(1)


@pytest.fixture
def profile():
    profile = Profile()
    for time in range(1, 8):
        topic = "project.created" if time % 2 else "project.updated"
        profile.logs[0].add(f"home-{time % 3}", time * 1_000, topic)
    return profile


def sequences(profile, **arguments):
    return [event["sequence"] for event in events_after(profile, arguments)["items"]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"type": "project.created"}, [1, 3, 5, 7]),
        ({"projects": "home-0,home-1"}, [1, 3, 4, 6, 7]),
        ({"stream": "project-home-2", "type": "project.updated"}, [2]),
        ({"actor": "somebody"}, []),
        ({"from": "1970-01-01T00:00:03Z", "until": "1970-01-01T00:00:05Z"}, [3, 4, 5]),
        ({"order": "desc", "limit": 3}, [7, 6, 5]),
        ({"order": "desc", "before": {"0": 5}, "type": "project.created"}, [3, 1]),
        ({"after": {"0": 4}, "limit": 2}, [5, 6]),
    ],
)
def test_events_are_filtered_as_on_every_channel(profile, arguments, expected):
    assert sequences(profile, **arguments) == expected


def test_pages_lead_from_one_to_the_next(profile):
    for order, place in (("asc", "after"), ("desc", "before")):
        collected, reached = [], {}
        while (page := events_after(profile, {"order": order, place: reached, "limit": 2}))["items"]:
            collected += page["items"]
            reached = json.loads(json.dumps(page[place]))
        seen = [event["sequence"] for event in collected]
        assert seen == (list(range(1, 8)) if order == "asc" else list(range(7, 0, -1)))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"type": "project.craeted"}, "did you mean project.created"),
        ({"from": "yesterday"}, "write an RFC 3339 time"),
        ({"order": "up"}, "order takes asc"),
        ({"type": ""}, "type takes one name or several"),
        ({"projects": "home-0,nope"}, "there is no project nope"),
    ],
)
def test_a_wrong_filter_is_refused_with_a_sentence(profile, arguments, sentence):
    with pytest.raises((InvalidError, NotFoundError), match=sentence):
        events_after(profile, arguments)

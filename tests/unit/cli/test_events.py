"""`codepark events`: the history, one line of JSON for each event."""

import json
import threading
from types import SimpleNamespace

import pytest
import redis

from codepark import redis_clients
from codepark.cli import events
from projections.redis import channel
from tests.support.embedded import carry_out, create_project, started
from tests.support.time_scale import stretched


@pytest.fixture
def history(data):
    """Five events of two projects in the data directory."""
    with started(data) as profile:
        first, second = create_project(profile, "one"), create_project(profile, "two")
        for name in ("uno", "due"):
            carry_out(profile, "project.update", target=first, name=name)
        carry_out(profile, "project.delete", target=second)
    return first, second


def sequences(ended):
    return [json.loads(line)["sequence"] for line in ended.output.splitlines()]


def test_all_events_are_exported_oldest_first(run, data, history):
    ended = run("events", "export", "--data", data)
    assert ended.status == 0
    assert sequences(ended) == [1, 2, 3, 4, 5]
    first = json.loads(ended.output.splitlines()[0])
    assert (first["type"], first["projectId"], first["data"]["name"]) == (
        "project.created",
        history[0],
        "one",
    )


def test_an_export_may_begin_later_or_have_one_type(run, data, history):
    assert sequences(run("events", "export", "--after", 3, "--data", data)) == [4, 5]
    assert sequences(run("events", "export", "--type", "project.deleted", "--data", data)) == [5]
    assert sequences(run("events", "export", "--type", "file.written", "--data", data)) == []


def test_an_unknown_type_is_refused(run, data, installation):
    ended = run("events", "export", "--type", "no.such", "--data", data)
    assert ended.sentence.startswith("there is no type of event no.such: choose another, such as ")


def test_an_export_of_several_pages_leaves_nothing_out(run, data, history, monkeypatch):
    monkeypatch.setattr(events, "_PAGE", 2)
    assert sequences(run("events", "export", "--data", data)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("count", "expected"), [(2, [4, 5]), (0, []), (20, [1, 2, 3, 4, 5])])
def test_the_last_events(run, data, history, count, expected):
    assert sequences(run("events", "tail", "--count", count, "--data", data)) == expected


def test_a_count_below_zero_is_refused(run, data):
    ended = run("events", "tail", "--count", "-1", "--data", data)
    assert ended.sentence == "--count is -1; it takes a number from 0"


def test_following_needs_a_server(run, data, history):
    ended = run("events", "tail", "--follow", "--count", 1, "--data", data)
    assert ended.status == 1
    assert sequences(ended) == [5]
    assert "start one with `codepark serve`" in ended.errors


def test_what_a_server_publishes_is_followed(run, data, history, monkeypatch):
    """A message says how far the log is; silence may be a lost message, so the log is read after it too."""
    published = iter([5, 6, None])
    urls = []

    def positions(_client, name):
        assert name == "codepark.positions"
        for sequence in published:
            if sequence == 6:
                write(data)
            yield sequence

    monkeypatch.setattr(redis_clients, "connect", lambda url, _ca_file: urls.append(url))
    monkeypatch.setattr(channel, "positions", positions)
    server = SimpleNamespace(redis_url="redis://here")
    monkeypatch.setattr(events.DataDirectory, "server", lambda _directory: server)
    ended = run("events", "tail", "--follow", "--count", 0, "--data", data)
    assert (sequences(ended), urls) == ([6], ["redis://here"])


def test_a_channel_that_goes_while_it_is_followed_is_waited_for(run, data, history, monkeypatch):
    """One sentence, however often it is tried; the events of the meantime follow."""
    answers = iter([redis.ConnectionError("gone"), redis.TimeoutError("still"), [None]])

    def positions(_settings, _url):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        write(data)
        return iter(answer)

    monkeypatch.setattr(events, "_positions", positions)
    monkeypatch.setattr(events, "_pause", SimpleNamespace(wait=lambda _seconds: None))
    monkeypatch.setattr(events, "_channel_url", lambda _settings: "redis://here")
    monkeypatch.setattr(events.DataDirectory, "is_held", lambda _directory: True)
    ended = run("events", "tail", "--follow", "--count", 0, "--data", data)
    assert (ended.status, sequences(ended)) == (0, [6])
    assert ended.errors == "codepark: the server of the channel does not answer; waiting for it\n"


def test_following_ends_with_a_sentence_when_the_server_ends(run, data, history, monkeypatch):
    def positions(_settings, _url):
        raise redis.ConnectionError("gone")

    monkeypatch.setattr(events, "_positions", positions)
    monkeypatch.setattr(events, "_channel_url", lambda _settings: "redis://here")
    ended = run("events", "tail", "--follow", "--count", 0, "--data", data)
    assert ended.sentence == "the server ended: no process publishes events any more"


def write(data):
    """Append an event, as another process does."""
    thread = threading.Thread(target=_create, args=(data,))
    thread.start()
    thread.join(stretched(30))


def _create(data):
    with started(data) as profile:
        create_project(profile, "three")

"""What analysts see of an event: its public form, with pseudonyms without a way to a person or a request."""

import json

import pytest

from codepark.published_events import PublishedEvents
from commands.partitions import Logs
from commands.secrets import Secrets
from domain.account.commands import RegisterAccount
from read_api.realtime.events import render_event
from tests.support.profile import ADA, BOB, SECRETS


@pytest.fixture
def published(commands):
    return PublishedEvents(Logs([commands.log]), SECRETS)


def last(commands):
    return commands.log.read(commands.log.tip().sequence - 1, 1)[0]


def test_an_event_is_shown_with_pseudonyms(commands, published):
    project = commands.project("a secret name")
    record = last(commands)
    event = published.of_record(commands.log, record)
    document = json.loads(event.json)
    assert (document["type"], document["version"], document["sequence"]) == ("project.created", 0, 0)
    assert document["projectId"] == event.home == document["data"]["project"]
    assert document["position"] == event.token
    assert project not in event.json.decode()
    assert ADA.id not in event.json.decode()
    assert "a secret name" not in event.json.decode()
    assert document["actor"] == json.loads(published.of_record(commands.log, record).json)["actor"] != ADA.id


def test_nothing_leads_to_a_request(commands, published):
    commands.project()
    document = json.loads(published.of_record(commands.log, last(commands)).json)
    assert (document["commandId"], document["correlationId"]) == ("", "")
    assert (document["causationId"], document["traceparent"]) == (None, None)


def test_another_installation_has_other_pseudonyms(commands, published):
    commands.project()
    other = PublishedEvents(Logs([commands.log]), Secrets(bytes(32)))
    actors = {
        json.loads(each.of_record(commands.log, last(commands)).json)["actor"] for each in (published, other)
    }
    assert len(actors) == 2


def test_an_event_that_is_not_public_is_not_shown(commands, published):
    claim = {"email_claim": "e", "name_claim": "n"}
    command = RegisterAccount(account_id=BOB.id, email="b@example.org", name="b", password_hash="h", **claim)
    commands.carry_out(command, BOB)
    records = commands.log.read(0, 10)
    hidden = [record.topic for record in records if published.of_record(commands.log, record) is None]
    assert hidden == ["claim.taken", "claim.taken"]


def test_an_event_that_cannot_be_read_is_not_shown(commands, published, monkeypatch):
    commands.project()

    def unreadable(_record):
        raise LookupError("no such version")

    monkeypatch.setattr(commands.log, "event", unreadable)
    assert published.of_record(commands.log, last(commands)) is None


def test_an_event_that_is_ready_to_be_sent_is_read_again(commands, published):
    commands.project()
    event = render_event(commands.log, last(commands))
    assert published.of_event(event) == published.of_record(commands.log, last(commands))


def test_an_event_that_is_gone_is_not_shown(commands, published, monkeypatch):
    commands.project()
    event = render_event(commands.log, last(commands))
    monkeypatch.setattr(commands.log, "read", lambda *_: [])
    assert published.of_event(event) is None

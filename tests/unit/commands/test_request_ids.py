"""The ids of requests in the log: erased with the person, and readable until then."""

import pytest
from msgspec.structs import replace

from commands.keys import PersonalCipher
from commands.log import CommandEvents, LogUnavailableError
from commands.request_ids import RequestIds
from commands.stream_event import StreamEvent
from domain.project.events import ProjectDeleted
from tests.support.records import a_record

COMMAND, RANDOM = "0190a1b2-0000-7000-8000-000000000001", "0190a1b2-0000-4000-8000-000000000002"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Keys:
    """Keys of which a test knows the state."""

    def __init__(self):
        self.keys, self.destroyed = {"ada": bytes(32)}, set()

    def get(self, subject):
        return self.keys.get(subject)

    def at_hand(self, subject):
        return self.keys.get(subject)

    def is_destroyed(self, subject):
        if self.destroyed is None:
            raise LogUnavailableError("away")
        return subject in self.destroyed

    def erase(self, subject):
        del self.keys[subject]
        self.destroyed.add(subject)


@pytest.fixture
def keys():
    return Keys()


@pytest.fixture
def ids(keys):
    return RequestIds(PersonalCipher(keys))


def command(correlation, actor="ada"):
    event = StreamEvent("project-p", 1, ProjectDeleted(project_id="p"))
    return CommandEvents(
        command=COMMAND,
        home="p",
        fingerprint=None,
        actor=actor,
        correlation=correlation,
        causation=None,
        traceparent=TRACE,
        occurred_at=0,
        events=(event,),
    )


def record(correlation, actor="ada"):
    return a_record(command=COMMAND, actor=actor, correlation=correlation, traceparent=TRACE)


def test_a_text_that_a_client_chose_is_encrypted_and_shown(ids):
    stored = ids.stored(command("ada-lovelace"))
    assert "lovelace" not in stored
    assert ids.shown(record(stored)) == ("ada-lovelace", TRACE)


@pytest.mark.parametrize("given", [COMMAND, RANDOM])
def test_a_random_id_is_stored_as_it_is(ids, given):
    assert ids.stored(command(given)) == given


def test_the_id_of_a_service_is_nobodys(ids):
    assert ids.stored(command("nightly", actor="service:cli")) == "nightly"
    assert ids.shown(record("nightly", actor="service:cli")) == ("nightly", TRACE)


@pytest.mark.parametrize("actor", ["", "bob"])
def test_without_a_key_at_hand_the_text_is_not_stored(ids, actor):
    assert ids.stored(command("ada-lovelace", actor=actor)) == COMMAND


@pytest.mark.parametrize("earlier", [True, False])
def test_nothing_of_an_erased_persons_request_is_shown(ids, keys, earlier):
    stored = "ada-lovelace" if earlier else ids.stored(command("ada-lovelace"))
    keys.erase("ada")
    assert ids.shown(record(stored)) == (COMMAND, None)


def test_ids_of_earlier_releases_are_shown(ids):
    for text in ("1.AAAA", "r-1", RANDOM):
        assert ids.shown(record(text)) == (text, TRACE)


def test_an_altered_text_and_keys_that_cannot_be_read_show_the_command(ids, keys):
    stored = ids.stored(command("ada-lovelace"))
    assert ids.shown(record(stored[:-8])) == (COMMAND, None)
    keys.destroyed = None
    assert ids.shown(record(stored)) == (COMMAND, None)


def test_another_persons_key_opens_nothing(ids, keys):
    keys.keys["bob"] = bytes(range(32))
    stored = ids.stored(command("ada-lovelace"))
    assert ids.shown(replace(record(stored), actor="bob")) == (COMMAND, None)

"""Mapping: golden files of every event ever written, and personal fields under a key."""

import base64
import json
from pathlib import Path

import msgspec
import pytest

from commands.keys import PersonalCipher
from commands.mapper import (
    ERASED,
    EventMapper,
    LargeStateCompressor,
    parse_stored_topic,
    personal_fields,
    stored_topic,
)
from commands.stream_event import StreamEvent
from domain.account.events import AccountRegistered
from domain.actor import Role, Tier
from domain.registry import EVENTS
from domain.upcasting import UnknownEventError

GOLDEN = Path(__file__).parents[2] / "golden"


class MemoryKeys:
    """Keys that a test can look at and destroy."""

    def __init__(self):
        self.keys = {}

    def get(self, subject):
        return self.keys.get(subject)

    def ensure(self, subjects):
        for subject in subjects:
            self.keys.setdefault(subject, bytes(32))

    def close(self):
        pass


@pytest.fixture
def keys():
    return MemoryKeys()


@pytest.fixture
def mapper(keys):
    return EventMapper(PersonalCipher(keys))


def registered():
    return AccountRegistered(
        account_id="a1",
        email="ada@example.invalid",
        name="ada",
        password_hash="$argon2id$x",
        email_claim="e",
        name_claim="n",
        roles=(Role.USER,),
        tier=Tier.FREE,
        verified=True,
    )


def test_personal_fields_are_not_in_the_stored_bytes(mapper):
    event = registered()
    mapper.prepare([event])
    data = mapper.data(event)
    for secret in ("ada@example.invalid", '"ada"', "argon2id"):
        assert secret.encode() not in data
    assert mapper.event("account.registered", 1, data) == event


def test_without_the_key_personal_fields_read_as_erased(mapper, keys):
    event = registered()
    mapper.prepare([event])
    data = mapper.data(event)
    keys.keys.clear()
    read = mapper.event("account.registered", 1, data)
    assert (read.email, read.name, read.password_hash) == (ERASED, ERASED, ERASED)
    assert read.email_claim == "e"


def test_altered_personal_data_is_noticed(mapper):
    event = registered()
    mapper.prepare([event])
    fields = json.loads(mapper.data(event))
    sealed = bytearray(base64.b64decode(fields["personal"].removeprefix("1.")))
    sealed[-1] ^= 1
    fields["personal"] = "1." + base64.b64encode(bytes(sealed)).decode()
    with pytest.raises(ValueError, match="altered"):
        mapper.event("account.registered", 1, json.dumps(fields).encode())


def test_a_row_of_the_log_gives_the_event_back(mapper):
    event = registered()
    mapper.prepare([event])
    state = mapper.compress(mapper.data(event))
    expected = StreamEvent("account-a1", 3, event)
    assert mapper.stream_event("account-a1", 3, "account.registered.v1", state) == expected


@pytest.mark.parametrize("size", [0, 511, 512, 100_000])
def test_compression_gives_back_what_it_got(size):
    data = b"x" * size
    stored = LargeStateCompressor().compress(data)
    assert LargeStateCompressor().decompress(stored) == data
    assert len(stored) <= size + 1


def test_unknown_events_are_named(mapper):
    with pytest.raises(UnknownEventError):
        mapper.event("nobody.knows", 1, b"{}")
    with pytest.raises(UnknownEventError):
        mapper.event("project.deleted", 99, b"{}")


@pytest.mark.parametrize("topic", ["project.created", "a.v2"])
def test_stored_names_carry_the_version(topic):
    assert parse_stored_topic(stored_topic(topic, 3)) == (topic, 3)


def test_other_stored_names_are_refused():
    with pytest.raises(ValueError, match="not a stored event name"):
        parse_stored_topic("project.created")


def golden_files():
    return sorted(GOLDEN.glob("*.json"))


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.stem)
def test_every_event_ever_written_is_readable(path, keys, mapper):
    """G11: a golden file is never changed; it is what some release has written."""
    stored = json.loads(path.read_text())
    if "key" in stored:
        keys.keys[stored["subject"]] = bytes.fromhex(stored["key"])
    event = mapper.event(stored["topic"], stored["schema"], stored["data"].encode())
    assert json.loads(msgspec.json.encode(event)) == stored["reads"]
    assert ERASED not in path.read_text()


def test_every_event_has_a_golden_file_of_its_version():
    assert {f"{event.TOPIC}.v{event.VERSION}" for event in EVENTS} <= {path.stem for path in golden_files()}


def test_personal_fields_need_a_subject():
    for event in EVENTS:
        assert bool(personal_fields(event)) == bool(event.SUBJECT), event

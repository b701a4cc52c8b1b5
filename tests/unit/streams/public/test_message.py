"""Public messages: nothing leaks, and they are CloudEvents."""

import json
import re

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from commands.secrets import Secrets
from domain.account.events import AccountProfileChanged, AccountRegistered
from domain.commit.events import ChangeStatus, CommitRecorded, RecordedChange
from domain.event import Event
from domain.file.events import Encoding, FileDeleted, FileWritten
from domain.identifiers import file_stream
from domain.log.events import LogFenced
from domain.project.events import CollaboratorAdded, ProjectCreated, Visibility
from domain.registry import EVENTS
from domain.times import rfc3339
from streams.public.languages import LANGUAGES, public_language
from streams.public.message import PublicationError, public_message, structured
from streams.public.pseudonyms import Names, keyed_pseudonyms
from streams.public.publications import PUBLISHED, publication_of, why_withheld
from streams.public.schemas import schema
from streams.public.topics import linkable_topics, public_topic, public_topics
from tests.unit.streams.public.samples import NAMES, event_of, personal_names, pseudonym, record_of, uuid

PUBLIC = [publication.event for publication in PUBLISHED]
PERSONAL = [cls for cls in PUBLIC if cls.SUBJECT]


def message_of(event, record=None, partition=3, **options):
    message = public_message(
        event, record or record_of(event), partition, **{"pseudonym": pseudonym, **options}
    )
    assert message is not None
    return message


def data_of(event):
    return json.loads(message_of(event).value)


def headers_of(message):
    return {name: value.decode() for name, value in message.headers}


@pytest.mark.parametrize("event", EVENTS)
def test_each_event_is_published_or_withheld_for_a_reason(event):
    """A new event has a publication in streams/public/publications.py, or its class says why it has none."""
    assert (publication_of(event.TOPIC) is None) != (why_withheld(event.TOPIC) is None)


def test_the_class_says_why_its_events_are_withheld():
    assert why_withheld("log.fenced") == LogFenced.WITHHELD == "concerns the log, not what people did"
    assert why_withheld("project.created") is None
    assert publication_of("log.fenced") is None


def test_an_event_without_a_decision_is_noticed():
    class Undecided(Event):
        """Neither published nor withheld."""

    assert Undecided.WITHHELD == ""
    assert publication_of("undecided.happened") is None
    with pytest.raises(KeyError):
        why_withheld("undecided.happened")


def test_each_event_is_published_once():
    assert len({publication.type for publication in PUBLISHED}) == len(PUBLISHED)
    assert len({publication.shape for publication in PUBLISHED}) == len(PUBLISHED)


@pytest.mark.parametrize("cls", PUBLIC)
def test_no_text_of_an_event_or_its_record_is_in_any_byte_of_its_message(cls):
    """G10: names, addresses, hashes, titles, paths, contents, encrypted fields: every text has a marker."""
    message = message_of(event_of(cls))
    for form in (message, structured(message)):
        everything = b"\n".join(
            [form.topic.encode(), form.key, form.value, *(part for _, part in form.headers)]
        )
        assert b"MARKER" not in everything
        assert "é".encode() not in everything
        assert b"\\u" not in everything
        assert not re.search(rb"personal|passwordHash|content\"|message|email\"", everything)


@pytest.mark.parametrize("cls", PERSONAL)
@given(data=st.data())
def test_personal_fields_have_no_influence(cls, data):
    """Noninterference: the message is the same whatever a person wrote or is called, and after erasure."""
    one = event_of(cls)
    other = replace(one, **{name: data.draw(st.text()) for name in personal_names(cls)})
    assert message_of(other) == message_of(one)


@given(name=st.text(), description=st.text(min_size=1), language=st.text(min_size=1))
def test_texts_of_a_project_are_not_published(name, description, language):
    one = event_of(ProjectCreated, language="Klingon")
    other = replace(one, name=name, description=description, language=language)
    expected = public_language(language)
    assert expected in (*LANGUAGES, "other")
    assert data_of(other) == {**data_of(one), "language": expected}


@given(content=st.text() | st.none())
def test_only_the_lines_of_a_content_are_published(content):
    data = data_of(event_of(FileWritten, content=content))
    assert data == {
        "project": NAMES.project(uuid()),
        "file": data["file"],
        "language": None,
        "carried": content is not None,
        "size": 7,
        "lines": None if content is None else len(re.findall(r"[^\n]*\n|[^\n]+\Z", content)),
        "commit": data["commit"],
    }


def test_base64_has_no_lines():
    assert data_of(event_of(FileWritten, content="AAAA", encoding=Encoding.BASE64))["lines"] is None


@pytest.mark.parametrize("publication", PUBLISHED, ids=lambda publication: publication.type)
def test_values_keep_to_their_schema(publication):
    data = data_of(event_of(publication.event))
    jsonschema_rs.validator_for(schema(publication), validate_formats=True).validate(data)
    assert data.keys() == schema(publication)["properties"].keys()


def test_what_breaks_its_schema_is_not_published():
    event = event_of(FileWritten, size=-1)
    with pytest.raises(PublicationError) as caught:
        message_of(event)
    assert "MARKER" not in str(caught.value)


def test_a_key_that_might_be_a_text_is_a_pseudonym():
    event = event_of(ProjectCreated)
    message = message_of(event, record_of(event, home="a text"))
    assert re.fullmatch(b"[0-9a-f]{32}", message.key)


@pytest.mark.parametrize("cls", [cls for cls in EVENTS if publication_of(cls.TOPIC) is None])
def test_withheld_events_have_no_message(cls):
    assert public_message(event_of(cls), record_of(event_of(PUBLIC[0])), 0, pseudonym=pseudonym) is None
    assert public_topic(cls.TOPIC) is None


@pytest.mark.parametrize("cls", PUBLIC)
@given(partition=st.integers(0, 99), sequence=st.integers(1, 2**53), time=st.integers(0, 4_000_000_000_000))
def test_binary_mode(cls, partition, sequence, time):
    event = event_of(cls)
    record = record_of(event, sequence=sequence, occurred_at=time, source="urn:codepark:log:x")
    message = message_of(event, record, partition)
    headers = headers_of(message)
    names = Names(pseudonym, record.home)
    rounded = time - time % (86_400_000 if cls.TOPIC.startswith("account.") else 60_000)
    assert message.key.decode() == names.home() != uuid()
    assert message.timestamp == rounded
    assert message.topic in public_topics()
    assert list(headers)[-1] == "content-type"
    assert {name: headers[name] for name in headers if name not in ("ce_subject", "ce_actor")} == {
        "ce_specversion": "1.0",
        "ce_id": names.event(partition, sequence),
        "ce_source": "urn:codepark:log:x",
        "ce_type": cls.TOPIC,
        "ce_time": rfc3339(rounded),
        "ce_dataschema": f"urn:codepark:event:{cls.TOPIC}:v2",
        "content-type": "application/json",
    }
    attributes = [name.removeprefix("ce_") for name in headers if name.startswith("ce_")]
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in attributes)
    assert uuid() not in message.value.decode()
    assert uuid() not in " ".join(headers.values())


@pytest.mark.parametrize("cls", PUBLIC)
def test_structured_mode_says_the_same(cls):
    message = message_of(event_of(cls))
    whole = structured(message)
    document = json.loads(whole.value)
    assert headers_of(whole) == {"content-type": "application/cloudevents+json"}
    assert (whole.topic, whole.key) == (message.topic, message.key)
    assert document.pop("data") == json.loads(message.value)
    assert document.pop("partitionkey") == message.key.decode()
    assert document.pop("datacontenttype") == "application/json"
    assert {f"ce_{name}": value for name, value in document.items()} == {
        name: value for name, value in headers_of(message).items() if name.startswith("ce_")
    }


def test_the_same_event_makes_the_same_bytes():
    event = event_of(CommitRecorded)
    assert message_of(event) == message_of(event)


def test_the_prefix_is_the_installation_s():
    assert message_of(event_of(FileDeleted), prefix="other.").topic == "other.public.file.v2"
    assert public_topic("collaborator.added") == "codepark.public.project.v2"
    assert public_topic("project.unknown") is None
    assert public_topics("x.") == [
        f"x.public.{name}.v2"
        for name in (
            "account",
            "announcement",
            "build",
            "commit",
            "file",
            "project",
            "review",
            "suggestion",
        )
    ]


@pytest.mark.parametrize(("actor", "told"), [("service:cli", "service"), ("", None)])
def test_programs_and_nobody_have_no_pseudonym(actor, told):
    event = event_of(ProjectCreated)
    assert headers_of(message_of(event, record_of(event, actor=actor))).get("ce_actor") == told


def test_a_person_has_one_pseudonym_in_a_project_and_another_elsewhere():
    registered = event_of(AccountRegistered, account_id="a")
    record = record_of(registered, stream="account-a", actor="a")
    headers = headers_of(message_of(registered, record))
    account = data_of(registered)["account"]
    assert account == headers["ce_actor"]
    assert headers["ce_subject"] == f"account-{account}"
    created = event_of(ProjectCreated, owner_id="a")
    added = event_of(CollaboratorAdded, account_id="a")
    owner, other = (
        json.loads(message_of(created, record_of(created, home=home, actor="a")).value)["owner"]
        for home in (uuid(1), uuid(2))
    )
    member = json.loads(message_of(added, record_of(added, home=uuid(1))).value)["collaborator"]
    actor = headers_of(message_of(created, record_of(created, home=uuid(1), actor="a")))["ce_actor"]
    assert owner == member == actor
    assert len({account, owner, other}) == 3


def test_the_names_of_version_1_are_not_those_of_version_2():
    secrets = Secrets(bytes(range(32)))
    assert keyed_pseudonyms(secrets)("x") != secrets.keyed_hash("public", "x")
    assert linkable_topics("x.") == [name.replace(".v2", ".v1") for name in public_topics("x.")]


def test_a_file_s_subject_is_its_pseudonym():
    event = event_of(FileWritten, path="a.py")
    record = record_of(event, stream=file_stream(event.project_id, "a.py"))
    message = message_of(event, record)
    assert headers_of(message)["ce_subject"] == f"file-{json.loads(message.value)['file']}"
    assert record.stream not in headers_of(message).values()


def test_a_file_and_a_commit_can_be_joined():
    written = event_of(FileWritten, path="a.py", commit="ab12")
    recorded = event_of(CommitRecorded, sha="ab12")
    deleted = event_of(FileDeleted, path="a.py")
    assert data_of(written)["commit"] == data_of(recorded)["commit"]
    assert data_of(written)["file"] == data_of(deleted)["file"]
    assert data_of(written)["language"] == "Python"


def test_a_commit():
    changes = tuple(
        RecordedChange(path=f"{n}", status=status) for n, status in enumerate((*ChangeStatus, "A"))
    )
    event = event_of(CommitRecorded, authored_at="2024-01-01T00:30:00+01:00", changes=changes)
    data = data_of(event)
    assert data["changes"] == {"added": 2, "modified": 1, "deleted": 1, "typeChanged": 1}
    assert data["authoredOn"] == "2023-12-31"


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "long ago", ""])
def test_a_day_out_of_any_calendar(time):
    assert data_of(event_of(CommitRecorded, authored_at=time))["authoredOn"] is None


def test_which_parts_of_a_profile_changed():
    data = data_of(event_of(AccountProfileChanged, email_claim=None))
    assert (data["emailChanged"], data["nameChanged"]) == (False, True)


def test_visibility_makes_no_difference():
    private = event_of(ProjectCreated, visibility=Visibility.PRIVATE)
    public = event_of(ProjectCreated, visibility=Visibility.PUBLIC)
    assert data_of(public) == {**data_of(private), "visibility": "public"}


def test_pseudonyms_need_the_installation_s_key():
    one, other = (Names(keyed_pseudonyms(Secrets(bytes([n]) * 32)), "h") for n in (1, 2))
    assert one.person("a") == Names(keyed_pseudonyms(Secrets(bytes([1]) * 32)), "h").person("a")
    assert one.person("a") != other.person("a")
    assert len({one.person("a"), one.person("b"), one.file("p", "a"), one.file("q", "a")}) == 4
    assert re.fullmatch("[0-9a-f]{32}", one.commit("p", "ab12"))


@pytest.mark.parametrize(
    ("text", "told"), [(None, None), ("python", "Python"), (" C# ", "C#"), ("", "other")]
)
def test_languages(text, told):
    assert public_language(text) == told

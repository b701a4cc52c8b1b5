"""From commits to commands: each within the limits of a request, and nothing that the contract refuses."""

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codepark.history_import import commands
from codepark.history_import.commands import parts_of
from codepark.history_import.source import SourceChange, SourceCommit
from domain.file.paths import path_fault
from domain.limits import BODY_SIZE, EMAIL_LENGTH, FILE_SIZE, MESSAGE_LENGTH, NAME_LENGTH


def change(path, status="A", content="x"):
    return SourceChange(path=path, status=status, content=content)


def commit(*changes, **fields):
    values = {
        "sha": "a" * 40,
        "parents": (),
        "author_name": "Ada",
        "author_email": "ada@example.org",
        "authored_at": "2026-01-01T00:00:00+00:00",
        "message": "m",
    }
    return SourceCommit(**values | fields, changes=changes)


def one(*changes, **fields):
    (part,) = parts_of(commit(*changes, **fields))
    return part.input


def test_a_small_commit_is_one_complete_part():
    part = one(change("a"), change("b", "D", None), parents=("b" * 40,))
    assert (part.sha, part.parents, part.complete) == ("a" * 40, ("b" * 40,), True)
    assert [(c.path, c.status, c.content) for c in part.changes] == [("a", "A", "x"), ("b", "D", None)]


def test_a_commit_without_changes_is_recorded_too():
    assert one().changes == ()


def test_a_large_commit_has_parts_of_which_the_last_completes_it(monkeypatch):
    monkeypatch.setattr(commands, "PART_BYTES", 1_200)
    changes = [change(f"f{number}", content="x" * 400) for number in range(5)]
    parts = list(parts_of(commit(*changes)))
    assert [part.input.complete for part in parts] == [False, False, True]
    assert [c.path for part in parts for c in part.input.changes] == [f"f{n}" for n in range(5)]


def test_a_commit_of_many_changes_has_parts_too(monkeypatch):
    monkeypatch.setattr(commands, "PART_CHANGES", 2)
    parts = list(parts_of(commit(*(change(f"f{number}") for number in range(5)))))
    assert [len(part.input.changes) for part in parts] == [2, 2, 1]
    assert [part.input.complete for part in parts] == [False, False, True]


def test_a_file_larger_than_a_part_is_a_part_of_its_own(monkeypatch):
    monkeypatch.setattr(commands, "PART_BYTES", 100)
    parts = list(parts_of(commit(change("a", content="x" * 500), change("b", content="y" * 500))))
    assert [len(part.input.changes) for part in parts] == [1, 1]


@given(st.lists(st.integers(0, 600), max_size=12))
def test_the_size_covers_the_contents(lengths):
    changes = [change(f"f{number}", content="x" * length) for number, length in enumerate(lengths)]
    for part in parts_of(commit(*changes)):
        assert part.size >= sum(len(c.content) for c in part.input.changes)


def test_paths_that_the_contract_refuses_are_left_out():
    changes = change("../outside"), change("a"), change("b//c")
    assert [c.path for c in one(*changes).changes] == ["a"]


@given(st.text(max_size=40))
def test_what_is_left_out_is_what_has_a_fault(path):
    whole = commit(change(path))
    kept = [c.path for part in parts_of(whole) for c in part.input.changes]
    assert kept == ([] if path_fault(path) else [path])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (" Ada ", "Ada"),
        ("A\x00d\na", "Ada"),
        ("", "unknown"),
        ("\t", "unknown"),
        ("x" * (NAME_LENGTH + 9), "x" * NAME_LENGTH),
    ],
)
def test_an_authors_name_is_one_that_the_contract_takes(name, expected):
    assert one(author_name=name).author.name == expected


def test_long_texts_are_cut():
    part = one(author_email="x" * 999, message="m" * (MESSAGE_LENGTH + 1))
    assert (len(part.author.email), len(part.message)) == (EMAIL_LENGTH, MESSAGE_LENGTH)


@pytest.mark.parametrize("email", [None, ""])
def test_an_author_may_have_no_address(email):
    assert one(author_email=email).author.email is None


def test_a_time_that_cannot_be_read_is_the_epoch():
    assert one(authored_at="2026-13-01").authored_at == "1970-01-01T00:00:00+00:00"
    assert one(authored_at="2026-01-02T03:04:05+05:30").authored_at == "2026-01-02T03:04:05+05:30"


@given(st.text(max_size=50), st.text(max_size=20), st.text(max_size=20))
def test_the_size_covers_messages_and_paths(message, path, name):
    (part,) = parts_of(commit(change(path), message=message, author_name=name))
    assert part.size >= len(msgspec.json.encode(part.input))


@pytest.mark.parametrize("character", ["\x1b", "\x01", "\\", "a", "\U0001f600"])
def test_any_text_that_a_file_may_have_fits_a_request(character):
    text = character * (FILE_SIZE // len(character.encode()))
    message = "\x1b" * MESSAGE_LENGTH
    parts = list(parts_of(commit(change("before"), change("large", content=text), message=message)))
    assert all(len(msgspec.json.encode(part.input)) <= part.size < BODY_SIZE for part in parts)
    (sent,) = (c for part in parts for c in part.input.changes if c.path == "large")
    data = sent.content.encode() if sent.encoding is None else base64.b64decode(sent.content)
    assert data.decode() == text


def test_a_time_with_an_impossible_offset_is_in_utc():
    assert one(authored_at="2026-01-02T03:04:05+23:00").authored_at == "2026-01-01T04:04:05+00:00"
    assert one(authored_at="0001-01-01T00:00:00+23:00").authored_at == "1970-01-01T00:00:00+00:00"
    assert one(authored_at="2026-01-02T03:04:05").authored_at == "1970-01-01T00:00:00+00:00"

import base64
import hashlib

import msgspec
import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from domain.commit.commands import Change
from domain.commit.events import ChangeStatus
from domain.errors import InvalidError, TooLargeError
from domain.file import decider
from domain.file.commands import DeleteFile, WriteFile
from domain.file.content import measure
from domain.file.events import Encoding, FileDeleted, FileWritten
from domain.limits import FILE_SIZE
from tests.unit.domain.people import ANONYMOUS, EDITOR, PRIVATE, PROJECT_ID, PUBLIC, STRANGER, VIEWER
from tests.unit.domain.scenario import given

SHA = "abcd"
DELETED = FileDeleted(project_id=PROJECT_ID, path="a.py", commit=None)


def write(content, encoding=Encoding.UTF8, path="a.py"):
    return WriteFile(project_id=PROJECT_ID, path=path, content=content, encoding=encoding)


def written(content, encoding=Encoding.UTF8, commit=None):
    size, digest = measure(content, encoding)
    return FileWritten(
        project_id=PROJECT_ID,
        path="a.py",
        content=content,
        encoding=encoding if content is not None else None,
        size=size,
        digest=digest,
        commit=commit,
    )


def file(*events):
    return given(decider, *events, project=PRIVATE)


def applied(status, content=None, *before, encoding=Encoding.UTF8):
    state = decider.INITIAL
    for event in before:
        state = decider.evolve(state, event)
    change = Change(path="a.py", status=ChangeStatus(status), content=content, encoding=encoding)
    return decider.apply_change(state, PROJECT_ID, change, SHA)


def test_write():
    file().when(write("x = 1"), EDITOR).then(written("x = 1"))


def test_write_measures_the_decoded_bytes():
    (event,) = file().when(write(base64.b64encode(b"\x00\xff").decode(), Encoding.BASE64), EDITOR).events()
    assert (event.size, event.digest) == (2, hashlib.sha256(b"\x00\xff").hexdigest())


def test_write_equal_content():
    file(written("x")).when(write("x"), EDITOR).then()
    file(written(None)).when(write(None), EDITOR).then()


def test_write_other_content():
    file(written("x")).when(write("y"), EDITOR).then(written("y"))


def test_write_the_same_bytes_in_another_encoding():
    file(written("x")).when(write("eA==", Encoding.BASE64), EDITOR).then(written("eA==", Encoding.BASE64))


def test_content_without_an_encoding_is_text():
    file().when(write("x", None), EDITOR).then(written("x"))


def test_an_entry_without_content():
    file(written("x")).when(write(None), EDITOR).then(written(None))


def test_an_empty_file_has_content():
    file(written(None)).when(write(""), EDITOR).then(written(""))


def test_write_after_delete():
    file(written("x"), DELETED).when(write("x"), EDITOR).then(written("x"))


def test_write_needs_an_editor():
    file().when(write("x"), VIEWER).refused("role_required")
    file().when(write("x"), STRANGER).refused("project_not_found")
    given(decider, project=PUBLIC).when(write("x"), ANONYMOUS).refused("authentication_required")


def test_write_at_a_bad_path():
    file().when(write("x", path="../a"), EDITOR).refused("invalid_path", "/path")


@pytest.mark.parametrize("content", ["x", "eA=", "eA==\n", "eA== ", "e A==", "eA==eA==", "=", "é"])
def test_content_that_is_not_base64(content):
    file().when(write(content, Encoding.BASE64), EDITOR).refused("invalid", "/content")


def test_text_without_a_utf8_form():
    file().when(write("\ud800"), EDITOR).refused("invalid", "/content")


def test_the_largest_file():
    assert measure("x" * FILE_SIZE, Encoding.UTF8)[0] == FILE_SIZE
    with pytest.raises(TooLargeError) as caught:
        measure("é" * (FILE_SIZE // 2) + "x", Encoding.UTF8)
    assert (caught.value.specific_code, caught.value.pointer) == ("too_large", "/content")


def test_no_content_has_no_digest():
    assert measure(None, None) == (0, None)


def test_delete():
    file(written("x")).when(DeleteFile(project_id=PROJECT_ID, path="a.py"), EDITOR).then(DELETED)


@pytest.mark.parametrize("events", [(), (written("x"), DELETED)])
def test_delete_what_is_not_there(events):
    file(*events).when(DeleteFile(project_id=PROJECT_ID, path="a.py"), EDITOR).refused("file_not_found")


@pytest.mark.parametrize("status", "AMT")
def test_a_commit_sets_the_content(status):
    assert applied(status, "x") == (written("x", commit=SHA),)
    assert applied(status, "y", written("x")) == (written("y", commit=SHA),)


@pytest.mark.parametrize("status", "AMT")
def test_a_commit_with_equal_content(status):
    assert applied(status, "x", written("x")) == ()
    assert applied(status, None, written(None)) == ()


def test_a_commit_that_does_not_carry_the_content():
    assert applied("M", None, written("x")) == (written(None, commit=SHA),)


def test_a_commit_deletes():
    assert applied("D", None, written("x")) == (FileDeleted(project_id=PROJECT_ID, path="a.py", commit=SHA),)
    assert applied("D") == ()


def test_a_commits_bad_content_is_pointed_at():
    change = Change(path="a", status=ChangeStatus.ADDED, content="?", encoding=Encoding.BASE64)
    with pytest.raises(InvalidError) as caught:
        decider.apply_change(decider.INITIAL, PROJECT_ID, change, SHA, pointer="/changes/0/content")
    assert caught.value.pointer == "/changes/0/content"


def test_the_state_has_a_digest_where_the_content_is_carried():
    assert decider.evolve(decider.INITIAL, written("")).digest is not None
    assert decider.evolve(decider.INITIAL, written(None)).digest is None


@example(st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=5), st.sampled_from("AMTD"))
def test_a_change_applied_twice_adds_nothing(contents, status):
    events = applied(status, "z", *map(written, contents))
    assert applied(status, "z", *map(written, contents), *events) == ()


@example(st.binary(max_size=50))
def test_text_and_base64_measure_alike(data):
    expected = (len(data), hashlib.sha256(data).hexdigest())
    assert measure(base64.b64encode(data).decode(), Encoding.BASE64) == expected


def test_the_last_event_alone_makes_the_state():
    state = decider.evolve(decider.INITIAL, written("x"))
    assert decider.evolve(state, written("y")) == decider.evolve(decider.INITIAL, written("y"))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=decider.File) == state

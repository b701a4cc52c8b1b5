from functools import reduce

import msgspec
import pytest
from hypothesis import given as example
from hypothesis import strategies as st
from rpds import HashTrieMap

from domain.commit import decider
from domain.commit.commands import Change, RecordCommit
from domain.commit.events import ChangeStatus, CommitPartRecorded, CommitRecorded, RecordedChange
from domain.limits import EMAIL_LENGTH, MESSAGE_LENGTH, NAME_LENGTH, PARENTS
from tests.unit.domain.people import ANONYMOUS, EDITOR, PRIVATE, PROJECT_ID, PUBLIC, STRANGER, VIEWER
from tests.unit.domain.scenario import given

SHA = "a" * 40
FINGERPRINT = "1" * 32
OTHER = "2" * 32
COMMON = {
    "project_id": PROJECT_ID,
    "sha": SHA,
    "parents": (),
    "message": "First",
    "author_id": "author-1",
    "author_name": "Ada",
    "author_email": "ada@example.org",
    "authored_at": "2024-01-31T12:00:00+01:00",
    "fingerprint": FINGERPRINT,
}


def change(path, status="A"):
    return Change(path=path, status=ChangeStatus(status), content="x")


def record(*paths, complete=True, **fields):
    changes = tuple(change(path) for path in paths)
    return RecordCommit(**{**COMMON, "changes": changes, "complete": complete, **fields})


def changes(*paths):
    return tuple(RecordedChange(path=path, status=ChangeStatus.ADDED) for path in paths)


def recorded(*paths, number=1, **fields):
    return CommitRecorded(**{**COMMON, "number": number, "changes": changes(*paths), **fields})


def part(*paths, sha=SHA, fingerprint=FINGERPRINT):
    return CommitPartRecorded(
        project_id=PROJECT_ID, sha=sha, changes=changes(*paths), fingerprint=fingerprint
    )


def history(*events):
    return given(decider, *events, project=PRIVATE)


def test_record():
    history().when(record("a", "b"), EDITOR).then(recorded("a", "b"))


def test_commits_are_numbered():
    history(recorded()).when(record(sha="b" * 40), EDITOR).then(recorded(sha="b" * 40, number=2))


def test_a_commit_may_be_empty():
    history().when(record(message=""), EDITOR).then(recorded(message=""))


def test_record_again():
    history(recorded("a")).when(record("a"), EDITOR).then()
    history(recorded("a")).when(record("a", complete=False), EDITOR).then()


def test_another_commit_with_a_recorded_hash_is_refused():
    history(recorded("a")).when(record("a", fingerprint=OTHER), EDITOR).refused("commit_recorded")
    in_parts = (part("a"), recorded("a", "b", fingerprint=OTHER))
    for fingerprint in (FINGERPRINT, OTHER):
        history(*in_parts).when(record("a", fingerprint=fingerprint), EDITOR).then()
    history(*in_parts).when(record("a", fingerprint="3" * 32), EDITOR).refused("commit_recorded")


def test_a_commit_of_an_older_release_is_taken_for_the_same():
    history(recorded("a", fingerprint=None)).when(record("a", fingerprint=OTHER), EDITOR).then()
    old = part("a", fingerprint=None)
    history(old).when(record("a", complete=False, fingerprint=OTHER), EDITOR).then()


def test_a_part_with_other_content_for_recorded_paths_is_refused():
    command = record("a", complete=False, fingerprint=OTHER)
    history(part("a")).when(command, EDITOR).refused("commit_parts")


def test_record_needs_an_editor():
    history().when(record(), VIEWER).refused("role_required")
    history().when(record(), STRANGER).refused("project_not_found")
    given(decider, project=PUBLIC).when(record(), ANONYMOUS).refused("authentication_required")


def test_parents_need_not_be_known():
    history().when(record(parents=("beef",)), EDITOR).then(recorded(parents=("beef",)))


def test_a_part():
    history().when(record("a", complete=False), EDITOR).then(part("a"))


def test_the_last_part_completes_the_commit():
    history(part("a"), part("b")).when(record("c"), EDITOR).then(recorded("a", "b", "c"))


def test_parts_of_another_commit_stay_apart():
    history(part("a", sha="beef")).when(record("b"), EDITOR).then(recorded("b"))


def test_a_repeated_part():
    history(part("a")).when(record("a", complete=False), EDITOR).then()
    history(part("a")).when(record("a", "b", complete=False), EDITOR).then(part("b"))
    history(part("a")).when(record("a", "b"), EDITOR).then(recorded("a", "b"))


def test_parts_that_contradict_each_other():
    command = record(changes=(change("a", "D"),))
    message = history(part("a")).when(command, EDITOR).refused("commit_parts")
    assert "a" in message


def test_a_complete_commit_leaves_no_parts():
    state = reduce(decider.evolve, (part("a"), recorded("a")), decider.INITIAL)
    assert (state.count, set(state.shas), state.parts, state.fingerprints) == (1, {SHA}, {}, {})


@pytest.mark.parametrize("sha", ["", "abc", "A" * 40, "g" * 40, "a" * 65, "abcd\n"])
def test_a_bad_name(sha):
    history().when(record(sha=sha), EDITOR).refused("invalid", "/sha")
    history().when(record(parents=("abcd", sha)), EDITOR).refused("invalid", "/parents/1")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"parents": ("abcd",) * (PARENTS + 1)}, "/parents"),
        ({"message": "m" * (MESSAGE_LENGTH + 1)}, "/message"),
        ({"message": "\ud800"}, "/message"),
        ({"author_name": " "}, "/author/name"),
        ({"author_name": "n" * (NAME_LENGTH + 1)}, "/author/name"),
        ({"author_email": "e" * (EMAIL_LENGTH + 1)}, "/author/email"),
    ],
)
@pytest.mark.parametrize("complete", [True, False])
def test_invalid_fields(fields, pointer, complete):
    history().when(record("a", complete=complete, **fields), EDITOR).refused("invalid", pointer)


@pytest.mark.parametrize(
    "time",
    [
        "",
        "yesterday",
        "2024-01-31",
        "2024-01-31T12:00:00",
        "2024-01-31 12:00:00Z",
        "2024-02-31T12:00:00Z",
        "2024-01-31T12:00:00+0100",
        "2024-01-31T12:00:00+24:00",
        "2024-W05-3T12:00:00Z",
        "٢٠٢٤-01-31T12:00:00Z",
        "2024-01-31T12:00:00Z\n",
    ],
)
def test_a_bad_time(time):
    history().when(record(authored_at=time), EDITOR).refused("invalid", "/authoredAt")


@pytest.mark.parametrize("time", ["2024-01-31T12:00:00Z", "1970-01-01T00:00:00.123456789-11:30"])
def test_a_good_time(time):
    history().when(record(authored_at=time), EDITOR).then(recorded(authored_at=time))


def test_an_author_without_an_address():
    history().when(record(author_email=None), EDITOR).then(recorded(author_email=None))


def test_paths():
    history().when(record("a", "../b"), EDITOR).refused("invalid_path", "/changes/1/path")
    history().when(record("a", "b", "a"), EDITOR).refused("invalid", "/changes/2/path")


def test_touched_paths():
    assert decider.touched_paths(record("b", "a")) == ("b", "a")


def test_evolve_leaves_the_former_state_alone():
    before = decider.evolve(decider.INITIAL, part("a"))
    decider.evolve(before, recorded("a"))
    assert (before.count, before.parts, len(decider.INITIAL.shas)) == (0, {SHA: changes("a")}, 0)


def test_the_state_survives_a_snapshot():
    state = reduce(decider.evolve, (recorded("a"), part("b", sha="beef")), decider.INITIAL)
    data = msgspec.msgpack.encode(state, enc_hook=dict)
    assert msgspec.msgpack.decode(
        data, type=decider.History, dec_hook=lambda _, value: HashTrieMap(value)
    ) == (state)


RECORDS = st.builds(
    lambda sha, paths, complete: record(*paths, sha=sha, complete=complete),
    st.sampled_from(["aaaa", "bbbb"]),
    st.lists(st.sampled_from("abcd"), unique=True),
    st.booleans(),
)


@example(st.lists(RECORDS, max_size=10))
def test_a_retry_adds_nothing_and_numbers_have_no_gap(commands):
    state, numbers = decider.INITIAL, []
    for command in commands:
        events = decider.decide(PRIVATE, state, command, EDITOR)
        numbers += [event.number for event in events if isinstance(event, CommitRecorded)]
        state = reduce(decider.evolve, events, state)
        assert decider.decide(PRIVATE, state, command, EDITOR) == ()
    assert numbers == list(range(1, state.count + 1))


@example(st.lists(st.sets(st.sampled_from("abcdef")), min_size=1, max_size=5))
def test_a_commit_in_parts_has_every_path_once(parts):
    state = decider.INITIAL
    for paths in parts:
        command = record(*sorted(paths), complete=False)
        state = reduce(decider.evolve, decider.decide(PRIVATE, state, command, EDITOR), state)
    (event,) = decider.decide(PRIVATE, state, record(), EDITOR)
    paths = [change.path for change in event.changes]
    assert sorted(paths) == sorted(set().union(*parts))

"""The bus: order, expected versions, idempotency keys, and how it handles faults."""

import os
import sqlite3
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.batch_decider import decide_batch
from commands.bus import BusyError
from commands.log import LogUnavailableError
from commands.outcomes import Accepted, KeyReusedError, Refused, Unavailable
from commands.unit_of_work import SettledStates
from domain.errors import ConflictError, ForbiddenError, NotFoundError, StaleVersionError
from tests.support.profile import ADA, BOB, Commands
from tests.support.proof import size


def refusal(outcome):
    assert isinstance(outcome, Refused)
    return outcome.refusal


def test_versions_of_a_stream_have_no_gap(commands):
    """G2."""
    project = commands.project()
    for number in range(2, 20):
        assert commands.do("project.update", target=project, name=f"name {number}").version == number
    assert [item.version for item in commands.log.stream_events(f"project-{project}")] == list(range(1, 20))


def test_a_stale_expected_version_is_refused_and_changes_nothing(commands):
    """G2."""
    project = commands.project()
    commands.do("project.update", target=project, name="second", expected=1)
    stale = commands.submission("project.update", target=project, name="third", expected=1)
    before = commands.log.tip()
    error = refusal(commands.outcomes(stale)[0])
    assert isinstance(error, StaleVersionError)
    assert (error.expected, error.actual) == (1, 2)
    assert commands.log.tip() == before


def test_commands_of_one_batch_see_each_other(commands):
    project = commands.project()
    outcomes = commands.outcomes(
        commands.submission("project.update", target=project, name="a", expected=1),
        commands.submission("project.update", target=project, name="b", expected=1),
        commands.submission("project.update", target=project, name="c", expected=2),
    )
    assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Accepted]
    assert [outcomes[0].version, outcomes[2].version] == [2, 3]


def test_a_refused_command_leaves_nothing_for_the_next(commands):
    project = commands.project()
    changes = [
        {"path": "ok.txt", "status": "A", "content": "x"},
        {"path": "bad.txt", "status": "A", "content": "%", "encoding": "base64"},
    ]
    from commands.table.commits import AuthorInput, ChangeInput

    commit = commands.submission(
        "commit.record",
        target=project,
        message="m",
        author=AuthorInput(name="a"),
        authored_at="2026-01-01T00:00:00Z",
        changes=tuple(ChangeInput(**change) for change in changes),
    )
    before = commands.log.tip()
    outcomes = commands.outcomes(
        commit, commands.submission("file.write", target=project, path="ok.txt", content="y")
    )
    assert refusal(outcomes[0]).pointer == "/changes/1/content"
    assert outcomes[1].version == 1
    assert commands.log.tip().sequence == before.sequence + 1


def test_a_repeated_key_gives_the_first_outcome_again(commands):
    """G3."""
    first = commands.do("project.create", name="p", key="k")
    again = commands.do("project.create", name="p", key="k")
    assert not first.replayed
    assert again.replayed
    assert (again.stream, again.version, again.position, again.command_id) == (
        first.stream,
        first.version,
        first.position,
        first.command_id,
    )
    assert commands.log.tip().sequence == 1


def test_a_key_twice_in_one_batch_takes_effect_once(commands):
    """G3."""
    one, two = (commands.submission("project.create", name="p", key="k") for _ in range(2))
    outcomes = commands.outcomes(one, two)
    assert outcomes[0].stream == outcomes[1].stream
    assert [outcome.replayed for outcome in outcomes] == [False, True]
    assert commands.log.tip().sequence == 1


def test_a_key_with_another_body_is_refused(commands):
    """G3."""
    commands.do("project.create", name="p", key="k")
    other = commands.submission("project.create", name="q", key="k")
    assert isinstance(refusal(commands.outcomes(other)[0]), KeyReusedError)


def test_a_key_belongs_to_its_caller(commands):
    assert (
        commands.do("project.create", key="k", name="p").stream
        != commands.do("project.create", BOB, key="k", name="p").stream
    )


def test_the_outcome_of_a_key_survives_a_restart(tmp_path):
    """G3."""
    before = Commands(tmp_path)
    first = before.do("project.create", name="p", key="k")
    before.close()
    after = Commands(tmp_path)
    try:
        assert after.do("project.create", name="p", key="k").position == first.position
        assert after.log.tip().sequence == 1
    finally:
        after.close()


def test_a_refusal_leaves_nothing_and_its_retry_is_decided_again(commands):
    """G3."""
    project = commands.project(visibility="public")
    renamed = {"target": project, "name": "n", "key": "k"}
    denied = commands.submission("project.update", BOB, **renamed)
    assert isinstance(refusal(commands.outcomes(denied)[0]), ForbiddenError)
    assert commands.log.tip().sequence == 1
    again = commands.submission("project.update", BOB, **renamed)
    assert isinstance(refusal(commands.outcomes(again)[0]), ForbiddenError)


def test_a_key_on_a_command_that_changes_nothing_is_remembered(commands):
    """G3: the event goes to the technical stream, so that no version of the project changes."""
    project = commands.project()
    same = {"target": project, "name": "p"}
    first = commands.do("project.update", key="k", **same)
    assert first.version == 1
    assert commands.topics() == ["project.created", "command.unchanged"]
    commands.do("project.update", target=project, name="other")
    again = commands.do("project.update", key="k", **same)
    assert (again.version, again.replayed) == (1, True)


def test_without_a_key_a_command_that_changes_nothing_appends_nothing(commands):
    project = commands.project()
    assert commands.do("project.update", target=project, name="p").version == 1
    assert commands.log.tip().sequence == 1


def test_event_time_never_goes_back(tmp_path):
    times = iter([5_000, 4_000, 9_000])
    parts = Commands(tmp_path, clock=lambda: next(times))
    try:
        for name in "abc":
            parts.project(name)
        assert [record.occurred_at for record in parts.log.read(0, 9)] == [5_000, 5_000, 9_000]
    finally:
        parts.close()


def test_concurrent_callers_are_decided_one_after_the_other(commands):
    """G2: of ten callers who expect the same version, one is accepted."""
    project = commands.project()
    outcomes = []

    def update(number):
        submission = commands.submission("project.update", target=project, name=f"n{number}", expected=1)
        outcomes.extend(commands.outcomes(submission))

    threads = [threading.Thread(target=update, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 1
    assert commands.log.tip().sequence == 2


def fill_the_disk(log):
    """Let SQLite refuse to enlarge the file, as a full disk does; return a function that makes room again."""

    def limit(pages):
        for _ in range(
            5
        ):  # every connection of the pool has its own limit, and the pool hands them out in turns
            with log._datastore.get_connection(commit=True) as connection:
                connection._sqlite_conn.execute(f"PRAGMA max_page_count={pages}")

    with log._datastore.get_connection(commit=True) as connection:
        pages = connection._sqlite_conn.execute("PRAGMA page_count").fetchone()[0]
    limit(pages)

    def make_room():
        limit(1_073_741_823)

    return make_room


def test_a_full_disk_is_reported_and_nothing_is_acknowledged_that_is_not_stored(commands):
    """G1, G12."""
    project = commands.project()
    make_room = fill_the_disk(commands.log)
    content = os.urandom(30_000).hex()
    outcomes = commands.outcomes(
        *(
            commands.submission("file.write", target=project, path=f"{n}.txt", content=content, key=f"{n}")
            for n in range(5)
        )
    )
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert "full" in outcomes[0].reason
    assert commands.log.tip().sequence == 1
    make_room()
    retried = commands.do("file.write", target=project, path="0.txt", content=content, key="0")
    assert (retried.version, retried.replayed) == (1, False)


def test_a_key_whose_answer_was_lost_gets_the_one_outcome(commands, monkeypatch):
    """G3: the batch is stored, but the writer gets an error."""
    append = commands.log._recorder.append_records

    def stored_but_failed(*args):
        append(*args)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(commands.log._recorder, "append_records", stored_but_failed)
    lost = commands.outcomes(commands.submission("project.create", name="p", key="k"))
    assert isinstance(lost[0], Unavailable)
    monkeypatch.undo()
    assert commands.do("project.create", name="p", key="k").replayed
    assert commands.log.tip().sequence == 1


def test_one_command_with_a_broken_handler_does_not_fail_its_neighbours(commands, monkeypatch):
    from commands import batch_decider

    carry_out = batch_decider.carry_out

    def broken(unit, command):
        if getattr(command, "name", "") == "broken":
            raise ZeroDivisionError
        return carry_out(unit, command)

    monkeypatch.setattr(batch_decider, "carry_out", broken)
    names = ["a", "broken", "c"]
    outcomes = commands.outcomes(*(commands.submission("project.create", name=name) for name in names))
    assert [type(outcome) for outcome in outcomes] == [Accepted, Unavailable, Accepted]


def test_a_closed_bus_refuses(commands):
    commands.bus.close()
    with pytest.raises(BusyError):
        commands.bus.execute_sync([])


def test_a_log_whose_tip_moves_all_the_time_is_unavailable(commands, monkeypatch):
    from commands.log import TipMovedError

    def moved(*_):
        raise TipMovedError("moved")

    monkeypatch.setattr(commands.log, "append", moved)
    assert isinstance(commands.outcomes(commands.submission("project.create", name="p"))[0], Unavailable)


def test_a_long_stream_gets_a_snapshot_and_is_read_from_there(commands):
    project = commands.project()
    submissions = [commands.submission("project.update", target=project, name=f"n{n}") for n in range(450)]
    for start in range(0, 450, 50):
        commands.outcomes(*submissions[start : start + 50])
    snapshot = commands.log.snapshot(f"project-{project}")
    assert snapshot.version > 200
    loaded = SettledStates(commands.log).get(f"project-{project}")
    assert (loaded.version, loaded.state.name, loaded.snapshot) == (451, "n449", snapshot.version)


def test_collaborators_must_have_an_account(commands):
    project = commands.project()
    missing = commands.submission("collaborator.set", target=project, account_id=BOB.id, role="editor")
    assert isinstance(refusal(commands.outcomes(missing)[0]), NotFoundError)


def test_two_accounts_cannot_take_one_name(commands):
    from domain.account.commands import RegisterAccount

    def register(account_id, email, name):
        from commands.intake import CommandMetadata
        from domain.actor import ANONYMOUS

        claim = commands.intake.claim
        command = RegisterAccount(
            account_id=account_id,
            email=email,
            name=name,
            password_hash="h",
            email_claim=claim("email", email),
            name_claim=claim("name", name),
        )
        return commands.intake.submit(command, None, CommandMetadata(actor=ANONYMOUS))

    outcomes = commands.outcomes(
        register("1", "ada@example.invalid", "ada"),
        register("2", "bob@example.invalid", "ADA"),
        register("3", "Ada@Example.invalid", "ada2"),
    )
    codes = [getattr(getattr(outcome, "refusal", None), "specific_code", None) for outcome in outcomes]
    assert codes == [None, "name_taken", "email_taken"]
    assert isinstance(refusal(outcomes[1]), ConflictError)
    assert commands.intake.account_named("Ada") == "1"


@settings(max_examples=size(25, 500), deadline=None)
@given(
    cuts=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    names=st.lists(st.sampled_from("abc"), min_size=6, max_size=20),
)
def test_how_commands_are_cut_into_batches_does_not_matter(tmp_path_factory, cuts, names):
    """Two batches equal one: the log holds the same events, however the commands were batched."""
    one, many = (Commands(tmp_path_factory.mktemp("bus")) for _ in range(2))
    try:
        for parts, sizes in ((one, [len(names)]), (many, cuts)):
            project = parts.do("project.create", ADA, name="p", key="same").stream.removeprefix("project-")
            rest = list(names)
            while rest:
                size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
                batch, rest = rest[:size], rest[size:]
                parts.outcomes(
                    *(parts.submission("project.update", target=project, name=name) for name in batch)
                )
        content = [
            [(r.stream, r.version, r.topic, r.data) for r in parts.log.read(0, 99)] for parts in (one, many)
        ]
        assert content[0] == content[1]
    finally:
        one.close()
        many.close()


def test_deciding_raises_where_the_log_cannot_be_read(commands, monkeypatch):
    def unavailable(*_):
        raise LogUnavailableError("no answer")

    monkeypatch.setattr(commands.log, "existing", unavailable)
    submission = commands.submission("project.update", target="0" * 8, name="x")
    with pytest.raises(LogUnavailableError):
        decide_batch(SettledStates(commands.log), commands.log, [submission], 1)

"""Waiting for read models, in one partition and in several."""

import asyncio

import pytest

from projections.progress import NotCaughtUpError, Progress
from tests.support.time_scale import stretched


def waited(progress, needed, reports=(), timeout=5.0):
    """Wait while *reports* come in; tell whether the wait ended before the last of them."""

    async def run():
        progress.bind(asyncio.get_running_loop())
        waiting = asyncio.ensure_future(progress.wait(("a", "b"), needed, stretched(timeout)))
        for sequences, partition in reports:
            await asyncio.sleep(0)
            assert not waiting.done()
            progress.report(sequences, partition=partition)
        await waiting

    asyncio.run(run())


def test_a_wait_is_for_every_model_in_every_partition():
    progress = Progress()
    progress.report({"a": 3, "b": 3})
    waited(progress, {0: 3, 2: 1}, [({"a": 9}, 2), ({"b": 9}, 1), ({"b": 1}, 2)])
    waited(progress, {0: 3, 1: 0, 2: 1})
    waited(progress, {})


def test_a_wait_ends_with_an_error_when_its_time_is_up():
    progress = Progress()
    progress.report({"a": 3, "b": 3})
    with pytest.raises(NotCaughtUpError, match="2 events behind"):
        waited(progress, {0: 3, 1: 2}, timeout=0.01)


def test_each_partition_has_a_count_of_its_own():
    progress = Progress()
    progress.report({"a": 7}, {"a": frozenset({"s"})})
    progress.report({"a": 2}, {"a": frozenset({"t"})}, partition=1)
    assert (progress.sequence("a"), progress.sequence("a", 1), progress.sequence("a", 2)) == (7, 2, 0)
    assert (progress.models(), progress.models(1), progress.models(2)) == ({"a": 7}, {"a": 2}, {})
    assert progress.blocked("a") == {"s", "t"}
    assert (progress.blocked("a", 0), progress.blocked("a", 1), progress.blocked("b")) == (
        {"s"},
        {"t"},
        set(),
    )


def test_whether_anything_is_blocked_is_known_at_once():
    progress = Progress()
    assert not progress.has_blocked_streams
    progress.report({"a": 1}, {"a": frozenset({"s"}), "b": frozenset()})
    progress.report({"a": 1}, {"a": frozenset({"t"})}, partition=1)
    progress.report({"a": 2})
    assert progress.has_blocked_streams
    progress.report({"a": 3}, {"a": frozenset()})
    assert progress.has_blocked_streams
    progress.report({"a": 3}, {"a": frozenset()}, partition=1)
    assert not progress.has_blocked_streams


def test_a_scope_needs_its_last_work_in_its_partition():
    progress = Progress()
    progress.touch("a", [("p", 5)], partition=1)
    assert progress.needed("a", "p", 9, 1) == 5
    assert progress.needed("a", "p", 3, 1) == 3
    assert progress.needed("a", "p", 9, 0) == 0
    progress.assume_touched("a", 4, 2)
    assert (progress.needed("a", "other", 9, 2), progress.needed("a", "other", 9, 1)) == (4, 0)


def test_work_in_a_scope_is_pending_until_the_model_includes_it():
    progress = Progress()
    assert not progress.pending("a", "p")
    progress.touch("a", [("p", 5), ("p", 3), ("q", 7)])
    progress.report({"a": 4})
    assert [progress.pending("a", scope) for scope in ("p", "q", "r")] == [True, True, False]
    assert not progress.pending("a", "p", partition=1)
    progress.report({"a": 5})
    assert [progress.pending("a", scope) for scope in ("p", "q")] == [False, True]
    progress.report({"a": 7})
    assert not progress.pending("a", "q")


def test_everything_is_pending_where_it_is_assumed():
    progress = Progress()
    progress.assume_touched("a", 3)
    assert progress.pending("a", "any")
    progress.assume_touched("a", 0)
    progress.touch("a", [("p", 2)])
    assert (progress.pending("a", "any"), progress.pending("a", "p")) == (False, True)

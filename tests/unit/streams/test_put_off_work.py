"""The store is asked for work that was put off where some is known, and else now and then."""

import pytest
from msgspec.structs import replace

from projections.model import CatchUp, ReadModel
from streams import put_off_work
from streams.put_off_work import LOOK_SECONDS, PutOffWork

MODEL = ReadModel(name="m", version=1, collections=(), project=lambda event, record: ())


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(put_off_work.time, "monotonic", made.monotonic)
    return made


def work(turns=(), put_off=frozenset()):
    """Return the work of a model with these turns, which has put work off in the partitions *put_off*."""
    left = list(turns)
    model = replace(
        MODEL,
        catch_up=lambda store, partition: left.pop(0) if left else CatchUp(),
        has_put_off=lambda partition: partition in put_off,
    )
    return PutOffWork([MODEL, model])


def turn(each):
    for model in each.begin():
        each.take(model, None)


def test_models_that_put_nothing_off_have_no_turns(clock):
    nothing = PutOffWork([MODEL])
    assert not nothing.possible
    assert not nothing.due()


def test_the_first_turn_is_due_for_another_process_may_have_left_something(clock):
    assert work().due()


def test_where_nothing_waits_the_store_is_asked_again_after_a_while(clock):
    each = work()
    turn(each)
    assert not each.due()
    clock.now += LOOK_SECONDS - 0.1
    assert not each.due()
    clock.now += 0.1
    assert each.due()


def test_where_something_waits_the_next_turn_is_due_at_once(clock):
    each = work([CatchUp(waiting=True), CatchUp()])
    turn(each)
    assert each.due()
    turn(each)
    assert not each.due()


def test_what_this_process_has_put_off_is_due_in_its_partition_alone(clock):
    put_off = set()
    each = work(put_off=put_off)
    turn(each)
    put_off.add(1)
    assert not each.due()
    put_off.add(0)
    assert each.due()

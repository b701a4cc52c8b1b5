"""A clock that jumps: event times never go back, and a node with a wrong clock stops no other node."""

import pytest

from tests.support.server import eventually

from .local import running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NOW = 1_800_000_000_000
HOUR = 3_600_000


class Clock:
    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


def test_event_times_never_go_back(settings, tmp_path):
    clock = Clock()
    with running(settings, tmp_path / "one", clock=clock) as node:
        for jump in (0, HOUR, -3 * HOUR, 1, -NOW):
            clock.now = NOW + jump
            node.create(f"at {jump}")
        times = [record.occurred_at for record in node.log.read(0, 10)]
    assert times == [NOW, NOW + HOUR, NOW + HOUR, NOW + HOUR, NOW + HOUR]


def test_nodes_with_different_clocks_agree_on_the_history(settings, tmp_path):
    ahead, behind = Clock(NOW + HOUR), Clock(NOW - HOUR)
    with (
        running(settings, tmp_path / "ahead", clock=ahead) as one,
        running(settings, tmp_path / "behind", clock=behind) as two,
    ):
        for number in range(5):
            two.create(f"behind {number}")
            one.create(f"ahead {number}")
            behind.now += 1
        last = one.log.tip()
        eventually(lambda: two.log.tip() == last)
        assert [r.chain for r in one.log.read(0, 100)] == [r.chain for r in two.log.read(0, 100)]
        times = [record.occurred_at for record in two.log.read(0, 100)]
    assert times == sorted(times)
    assert times[0] == NOW - HOUR
    assert set(times[1:]) == {NOW + HOUR}

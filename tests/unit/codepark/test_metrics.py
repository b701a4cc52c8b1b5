"""The metrics of a process, as Prometheus reads them."""

from types import SimpleNamespace

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from codepark.metrics import Metrics
from projections.progress import Progress
from read_api.gateway.limits.fallback import GuardedLimiter
from read_api.gateway.limits.limits import Limits
from read_api.gateway.limits.memory import MemoryLimiter
from tests.support.partitions import home_in, memory_logs


def profile(partitions=1):
    return SimpleNamespace(logs=memory_logs(partitions), bus=SimpleNamespace(waiting=3), progress=Progress())


def figures(profile, limits=None):
    """Return the value of each sample, by name and labels."""
    text = generate_latest(Metrics(profile, limits or Limits(MemoryLimiter())).registry).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_log_and_the_commands():
    one = profile()
    for number in range(5):
        one.logs[0].add("a", number)
    found = figures(one)
    assert found[("codepark_log_sequence",)] == 5
    assert found[("codepark_commands_waiting",)] == 3


def test_a_read_model_lags_by_what_it_does_not_include():
    one = profile()
    for number in range(5):
        one.logs[0].add("a", number)
    one.progress.report({"projects": 2, "files": 5}, {"projects": frozenset({"s", "t"})})
    found = figures(one)
    assert found[("codepark_projection_lag_events", "projects")] == 3
    assert found[("codepark_projection_lag_events", "files")] == 0
    assert found[("codepark_projection_blocked_streams", "projects")] == 2


def test_a_read_model_is_never_ahead():
    one = profile()
    one.progress.report({"projects": 7})
    assert figures(one)[("codepark_projection_lag_events", "projects")] == 0


def test_several_partitions_are_summed_and_told_apart():
    three = profile(3)
    for partition, count in enumerate((1, 2, 3)):
        for number in range(count):
            three.logs[partition].add(home_in(partition), number)
        three.progress.report({"projects": 1}, partition=partition)
    found = figures(three)
    assert found[("codepark_log_sequence",)] == 6
    assert found[("codepark_projection_lag_events", "projects")] == 3
    assert [found[("codepark_partition_sequence", str(n))] for n in range(3)] == [1, 2, 3]
    assert found[("codepark_partition_projection_lag_events", "projects", "2")] == 2


def test_one_partition_is_not_told_apart():
    assert not [name for name in figures(profile()) if "partition" in name[0]]


def test_what_the_limits_refused():
    limits = Limits(MemoryLimiter())
    limits.refused["sockets"] = 4
    limits.sockets = 2
    found = figures(profile(), limits)
    assert found[("codepark_limits_refused_total", "sockets")] == 4
    assert found[("codepark_live_connections",)] == 2


def test_a_process_that_counts_alone_has_no_figures_of_redis():
    assert not [name for name in figures(profile()) if "limiter" in name[0]]


@pytest.mark.parametrize("unavailable", [True, False])
def test_a_shared_limiter_tells_whether_it_counts_alone(unavailable, monkeypatch):
    monkeypatch.setattr(GuardedLimiter, "unavailable", unavailable)
    limiter = GuardedLimiter(MemoryLimiter(), MemoryLimiter())
    limiter.failures, limiter.decided_locally = 5, 6
    found = figures(profile(), Limits(limiter))
    assert found[("codepark_limiter_away",)] == unavailable
    assert found[("codepark_limiter_failures_total",)] == 5
    assert found[("codepark_limiter_local_decisions_total",)] == 6


def test_the_process_itself_is_measured():
    assert figures(profile())[("process_resident_memory_bytes",)] > 1_000_000

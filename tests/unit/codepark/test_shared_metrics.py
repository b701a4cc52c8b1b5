"""Processes that share a port answer for each other."""

import asyncio
import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from codepark.shared_metrics import SharedMetrics


def registry(number):
    """Return the metrics of a process that has counted to *number*."""
    made = CollectorRegistry()
    Counter("asked", "Asked", ["path"], registry=made).labels("/a").inc(number)
    if number > 1:
        Counter("failed", "Failed", registry=made).inc()
    Histogram("seconds", "Seconds", buckets=(1, 2), registry=made).observe(number)
    Gauge("codepark_log_sequence", "Events", registry=made).set(10 + number)
    Gauge("codepark_commands_waiting", "Commands", registry=made).set(number)
    Gauge("process_start_time_seconds", "Start", registry=made).set(100 * number)
    return made


def values(text):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_a_process_alone_answers_for_itself():
    async def run():
        alone = SharedMetrics(registry(1), None)
        await alone.start()
        body, media_type = await alone.write("")
        await alone.stop()
        return body, media_type

    body, media_type = asyncio.run(run())
    assert media_type == "text/plain; version=0.0.4; charset=utf-8"
    assert values(body)[("asked_total", "/a")] == 1


def test_one_process_answers_for_all_of_them(tmp_path, monkeypatch):
    async def run():
        processes = [SharedMetrics(registry(number), tmp_path) for number in (1, 2, 3)]
        for number, each in enumerate(processes):
            monkeypatch.setattr(os, "getpid", lambda number=number: number)
            await each.start()
        monkeypatch.setattr(os, "getpid", lambda: 0)
        answers = [await processes[0].write(accept) for accept in ("", "application/openmetrics-text")]
        (tmp_path / "9.sock").touch()  # of a process that has died
        answers.append(await processes[0].write(""))
        for number, each in enumerate(processes):
            monkeypatch.setattr(os, "getpid", lambda number=number: number)
            await each.stop()
        return answers

    (plain, _), (open_metrics, media_type), (again, _) = asyncio.run(run())
    assert media_type.startswith("application/openmetrics-text")
    assert open_metrics.endswith(b"# EOF\n")
    assert again == plain
    found = values(plain)
    assert found[("asked_total", "/a")] == 6
    assert found[("failed_total",)] == 2
    assert [found[("seconds_bucket", le)] for le in ("1.0", "2.0", "+Inf")] == [1, 2, 3]
    assert found[("seconds_sum",)] == 6
    assert found[("codepark_log_sequence",)] == 13
    assert found[("codepark_commands_waiting",)] == 6
    assert found[("process_start_time_seconds",)] == 100


OPEN = "application/openmetrics-text; version=1.0.0"


def test_the_traces_of_requests_are_private():
    own = CollectorRegistry()
    Histogram("seconds", "Seconds", buckets=(1, 2), registry=own).observe(1.5, {"trace_id": "4bf92f35"})
    metrics = SharedMetrics(own, None)

    def written(accept, *, private):
        return asyncio.run(metrics.write(accept, private=private))[0].decode()

    assert '# {trace_id="4bf92f35"} 1.5' in written(OPEN, private=True)
    assert "4bf92f35" not in written(OPEN, private=False)
    assert "4bf92f35" not in written("text/plain", private=True)
    assert values(written("text/plain", private=False).encode())[("seconds_count",)] == 1

"""The metrics that the parts of a process measure; `codepark.metrics` writes them for Prometheus.

No label has values that somebody outside can make up: the number of time series is bounded by the program.
"""

import time
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call] # prometheus_client

REGISTRY: Final = CollectorRegistry()

_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)
_WORK_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_JOB_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120, 600)
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)

HTTP_SECONDS: Final = Histogram(
    "http_request_duration_seconds",
    "Time from a request's head to the last byte of its answer; of a live stream, to its first byte",
    ["method", "route", "status_code"],
    buckets=_REQUEST_SECONDS,
    registry=REGISTRY,
)
HTTP_REQUESTS: Final = Counter(
    "http_requests",
    "Requests that were answered; 499 are those whose client went before",
    ["method", "route", "status"],
    registry=REGISTRY,
)
APPEND_SECONDS: Final = Histogram(
    "codepark_append_seconds",
    "Time to append a batch of commands durably",
    buckets=_WORK_SECONDS,
    registry=REGISTRY,
)
APPEND_EVENTS: Final = Histogram(
    "codepark_append_events", "Events in an appended batch", buckets=_COUNTS, registry=REGISTRY
)
CONFLICTS: Final = Counter(
    "codepark_append_conflicts",
    "Batches that were decided again, because another writer was faster",
    registry=REGISTRY,
)
READ_WAIT_SECONDS: Final = Histogram(
    "codepark_read_wait_seconds",
    "Time that an answer waited until the read models included what it must show",
    buckets=_WORK_SECONDS,
    registry=REGISTRY,
)
CACHED_ANSWERS: Final = Counter(
    "codepark_cached_answers",
    "Composed answers that were asked for: from the memory of the process, from the cache, or composed",
    ["source"],
    registry=REGISTRY,
)
SIGN_INS: Final = Counter("codepark_sign_ins", "Sign-ins by their outcome", ["outcome"], registry=REGISTRY)
ANALYSER_SECONDS: Final = Histogram(
    "codepark_analyser_seconds",
    "Processor time that measuring a file took",
    buckets=_WORK_SECONDS,
    registry=REGISTRY,
)
OPEN_CHANNELS: Final = Gauge(
    "codepark_open_channels",
    "Live channels that are open, by their kind",
    ["kind"],
    registry=REGISTRY,
)
LOOP_LAG_SECONDS: Final = Histogram(
    "codepark_event_loop_lag_seconds",
    "By how much the event loop was late for a timer",
    buckets=_WORK_SECONDS,
    registry=REGISTRY,
)
JOB_SECONDS: Final = Histogram(
    "codepark_job_seconds",
    "Time that an attempt of a job took",
    ["kind"],
    buckets=_JOB_SECONDS,
    registry=REGISTRY,
)
JOB_WAIT_SECONDS: Final = Histogram(
    "codepark_job_wait_seconds",
    "Time from when a job was due until its first attempt began",
    ["queue"],
    buckets=_JOB_SECONDS,
    registry=REGISTRY,
)
JOBS_ENDED: Final = Counter(
    "codepark_job_attempts",
    "Attempts of jobs by their kind and outcome: done, failed or cancelled",
    ["kind", "outcome"],
    registry=REGISTRY,
)
QUEUE_JOBS: Final = Gauge(
    "codepark_queue_jobs", "Jobs in a queue, by their state", ["queue", "state"], registry=REGISTRY
)
QUEUE_OLDEST_SECONDS: Final = Gauge(
    "codepark_queue_oldest_seconds",
    "How long the oldest job that is due has been waiting, 0 where none is",
    ["queue"],
    registry=REGISTRY,
)

INSTRUMENTS: Final = (
    HTTP_SECONDS,
    HTTP_REQUESTS,
    OPEN_CHANNELS,
    APPEND_SECONDS,
    APPEND_EVENTS,
    CONFLICTS,
    READ_WAIT_SECONDS,
    CACHED_ANSWERS,
    SIGN_INS,
    ANALYSER_SECONDS,
    LOOP_LAG_SECONDS,
    JOB_SECONDS,
    JOB_WAIT_SECONDS,
    JOBS_ENDED,
    QUEUE_JOBS,
    QUEUE_OLDEST_SECONDS,
)
"""Every instrument, for the reference."""


class Instruments(Collector):
    """What the parts of this process have measured, as a part of its metrics."""

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as they are now."""
        yield from REGISTRY.collect()


def appended(events: int, began: float) -> None:
    """Measure a batch of *events* whose append began at *began*, by `time.perf_counter`."""
    APPEND_SECONDS.observe(time.perf_counter() - began)
    APPEND_EVENTS.observe(events)

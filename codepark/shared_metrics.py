"""The metrics of processes that share a port: whichever one is asked answers for all of them."""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.samples import Sample

_SECONDS = 2.0

_COMMON: Final[Mapping[str, Callable[[float, float], float]]] = {
    "codepark_log_sequence": max,
    "codepark_projection_lag_events": max,
    "codepark_projection_blocked_streams": max,
    "codepark_partition_sequence": max,
    "codepark_partition_projection_lag_events": max,
    "codepark_limiter_away": max,
    "codepark_server_up": min,
    "process_start_time_seconds": min,
}
"""Gauges whose values are about what all processes share; of the others, the sum counts."""

logger = structlog.get_logger(__name__)


class SharedMetrics:
    """Writes the metrics of this process together with those of the processes that share its port."""

    def __init__(
        self, own: CollectorRegistry, folder: Path | None, business: Collector | None = None
    ) -> None:
        """Add to those in *own* the metrics of the other processes, whose sockets are in *folder*, if any.

        Those of the *business* are the same for all processes, and not for everybody.
        """
        self._own = own
        self._business = business
        self._folder = folder
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Let the other processes ask this one."""
        if self._folder is not None:
            self._server = await asyncio.start_unix_server(self._tell, self._folder / f"{os.getpid()}.sock")

    async def stop(self) -> None:
        """Tell nothing more."""
        if self._server is not None and self._folder is not None:
            self._server.close()
            (self._folder / f"{os.getpid()}.sock").unlink(missing_ok=True)

    async def write(self, accept: str, *, private: bool = False) -> tuple[bytes, str]:
        """Return the metrics and their media type.

        Where the caller may know what is *private*, those of the business are with them, and in OpenMetrics
        the traces of requests that are examples (exemplars); the sum of several processes has none. The
        format is that of the header *accept*, by default Prometheus' text.
        """
        encode, media_type = choose_encoder(accept)
        others = await self._others()
        with_business = self._business if private else None
        if not others and with_business is None:
            return encode(self._own if private else _WithoutExamples(self._own)), media_type
        parts: list[Collector] = [self._own if private else _WithoutExamples(self._own)]
        if others:
            parts = [_Together([generate_latest(self._own), *others])]
        if with_business is not None:
            parts.append(with_business)
        return await asyncio.to_thread(lambda: encode(_Chained(parts))), media_type

    async def _others(self) -> list[bytes]:
        if self._folder is None:
            return []
        own = f"{os.getpid()}.sock"
        sockets = [path for path in self._folder.glob("*.sock") if path.name != own]
        answers = await asyncio.gather(*(_asked(path) for path in sockets))
        return [answer for answer in answers if answer is not None]

    async def _tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(generate_latest(self._own))
            await writer.drain()
            writer.close()
            await writer.wait_closed()


async def _asked(path: Path) -> bytes | None:
    """Return the metrics of the process that listens at *path*, None where it does not answer (any more)."""
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                return await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        logger.warning("a process tells no metrics", process=path.stem, reason=type(error).__name__)
        return None


class _WithoutExamples(Collector):
    """The metrics of a collector without the traces of single requests."""

    def __init__(self, part: Collector) -> None:
        """Collect from *part*."""
        self._part = part

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        for metric in self._part.collect():
            metric.samples = [
                sample if sample.exemplar is None else sample._replace(exemplar=None)
                for sample in metric.samples
            ]
            yield metric


class _Chained(Collector):
    """The metrics of several collectors, one after the other."""

    def __init__(self, parts: Iterable[Collector]) -> None:
        """Collect from *parts*."""
        self._parts = tuple(parts)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        for part in self._parts:
            yield from part.collect()


class _Together(Collector):
    """Metrics that were written by several processes, as those of one."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        """Read *texts*, in Prometheus' text format."""
        self._families: dict[str, Metric] = {}
        for text in texts:
            for family in text_string_to_metric_families(text.decode()):
                known = self._families.setdefault(family.name, family)
                if known is not family:
                    known.samples = _added(known.samples, family.samples)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield from self._families.values()


def _added(samples: Iterable[Sample], more: Iterable[Sample]) -> list[Sample]:
    """Return the samples of both, those with the same name and labels as one."""
    together: dict[tuple[str, frozenset[tuple[str, str]]], Sample] = {}
    for sample in (*samples, *more):
        key = (sample.name, frozenset(sample.labels.items()))
        known = together.get(key)
        if known is None:
            together[key] = sample
        else:
            combine = _COMMON.get(sample.name, float.__add__)
            together[key] = known._replace(value=combine(float(known.value), float(sample.value)))
    return list(together.values())

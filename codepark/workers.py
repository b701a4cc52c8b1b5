"""The workers of the cluster profile, wired to Kafka, MongoDB and Redis."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from codepark.cluster_servers import ClusterServers
from codepark.error_reports import reporting
from codepark.interpreter import prepare_interpreter
from codepark.log_level import Hangups
from codepark.node_metrics import WatchedServers
from codepark.profiles.admission import admit
from codepark.profiles.cluster_connections import ClusterConnections
from codepark.settings import ClusterSettings, Settings
from codepark.traces import traced
from projections.models import READ_MODELS
from streams.faust.workers import run_insights, run_projections, run_public
from streams.public.pseudonyms import keyed_pseudonyms
from telemetry.instruments import Instruments

# A worker does not read every partition and may miss an erasure: it caches a key for this long at most.
_KEYS_REMEMBERED_SECONDS = 60.0


def project(settings: Settings, metrics_port: int | None) -> None:
    """Keep the read models until SIGTERM or SIGINT."""
    with _connected(settings) as (cluster, connections, servers):
        run_projections(
            cluster.kafka,
            connections.store,
            connections.mapper,
            READ_MODELS,
            connections.redis,
            cluster.kafka.prefix,
            metrics_port=metrics_port,
            collectors=(servers, Instruments()),
        )


def analyse(settings: Settings, metrics_port: int | None) -> None:
    """Keep the insights until SIGTERM or SIGINT."""
    with _connected(settings) as (cluster, connections, servers):
        run_insights(
            cluster.kafka,
            connections.store,
            connections.mapper,
            connections.redis,
            cluster.kafka.prefix,
            metrics_port=metrics_port,
            collectors=(servers, Instruments()),
        )


def publish(settings: Settings, metrics_port: int | None) -> None:
    """Publish the public topics until SIGTERM or SIGINT."""
    with _connected(settings) as (cluster, connections, servers):
        run_public(
            cluster.kafka,
            connections.store,
            connections.mapper,
            keyed_pseudonyms(cluster.secret),
            connections.redis,
            cluster.kafka.prefix,
            metrics_port=metrics_port,
            collectors=(servers, Instruments()),
        )


@contextmanager
def _connected(
    settings: Settings,
) -> Iterator[tuple[ClusterSettings, ClusterConnections, WatchedServers]]:
    """Connect for as long as a worker runs, once it is admitted to the installation, and watch its servers.

    Raises SettingsError without the settings of a cluster, InstallationError.
    """
    Hangups(settings.log_level_file, settings.log_level).follow()
    cluster = settings.cluster()
    kms = settings.kms(cluster.secret)
    connections = ClusterConnections(cluster, kms, remembered_seconds=_KEYS_REMEMBERED_SECONDS)
    with (
        traced("codepark-worker"),
        reporting(settings.sentry),
        closing(connections),
        closing(ClusterServers(cluster)) as servers,
        closing(servers.watch()) as watch,
    ):
        watch.start()
        _admitted(cluster, connections)
        prepare_interpreter()
        yield cluster, connections, WatchedServers(watch)


def _admitted(cluster: ClusterSettings, connections: ClusterConnections) -> None:
    """Return once this worker is admitted to the installation; until then a signal ends it in order."""
    ended = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        admitted = admit(cluster, connections, ended.wait)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if not admitted or ended.is_set():
        sys.exit(0)

"""Examine an installation, each part against what it should be."""

import asyncio
import stat
from collections.abc import Iterator
from contextlib import closing, suppress

from msgspec import Struct

from codepark.cli.remote import operate
from codepark.data_directory import DataDirectory
from codepark.jobs_service import jobs_possible
from codepark.private_files import open_to_others
from codepark.settings import Settings
from commands.sqlite.key_check import has_accounts
from insights.analyser import AnalyserUnavailableError, ProcessAnalyser
from jobs.job import JobsUnavailableError

_NAMED = 5
KAFKA = "Kafka"
NEEDED_SERVERS = (KAFKA, "MongoDB")
"""Without them the log and the read models of the cluster profile cannot be examined."""


class Finding(Struct, frozen=True):
    """The result for one part."""

    part: str
    ok: bool
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Return the findings; raises what opening the installation raises, where there is none too."""
    directory = DataDirectory(settings.data)
    servers = [] if settings.kafka is None else server_findings(settings)
    away = [finding.part for finding in servers if not finding.ok and finding.part in NEEDED_SERVERS]
    if away and KAFKA not in away:  # what the examination of the log would refuse first
        require_membership(settings)
    log = [_unexamined(away)] if away else _inner_findings(settings)
    inner = [*servers, *log, _analyser_finding()]
    if not directory.path.is_dir():  # a machine of the cluster profile without a node
        return inner
    return [*_directory_findings(directory), *inner]


def server_findings(settings: Settings) -> list[Finding]:
    """Ask Kafka, MongoDB and Redis of the cluster profile whether they answer."""
    from codepark.cluster_servers import ClusterServers  # noqa: PLC0415 # needs the extra `cluster`

    with closing(ClusterServers(settings.cluster())) as servers:
        findings = [
            Finding(name, reason is None, "answers" if reason is None else f"does not answer: {reason}")
            for name, reason in servers.reasons().items()
        ]
    return [*findings, *queue_findings(settings)]


def queue_findings(settings: Settings) -> list[Finding]:
    """Ask the server of the job queue whether it would drop jobs; nothing where there are none."""
    if not jobs_possible(settings):
        return []
    from jobs.bullmq.connection import eviction_of  # noqa: PLC0415 # needs the extra `jobs`

    part = "job queue"
    try:
        reason = asyncio.run(eviction_of(settings.cluster().redis.queue, settings.redis_ca_file))
    except JobsUnavailableError as error:
        return [Finding(part, False, str(error))]
    return [Finding(part, reason is None, "keeps every job" if reason is None else reason)]


def require_membership(settings: Settings) -> None:
    """Ask Kafka whether this process belongs to the installation; raises InstallationError."""
    from commands.kafka.installation import join  # noqa: PLC0415 # needs the extra `cluster`
    from commands.kafka.protocol.transport import BrokerUnavailableError  # noqa: PLC0415 # as above

    cluster = settings.cluster()
    with suppress(BrokerUnavailableError):  # it went meanwhile
        asyncio.run(join(cluster.kafka, cluster.secret, make=False, before_first=lambda: None))


def _unexamined(away: list[str]) -> Finding:
    return Finding("event log", False, f"not examined: {' and '.join(away)} must answer first")


def _directory_findings(directory: DataDirectory) -> Iterator[Finding]:
    yield Finding("data directory", True, directory.shown)
    yield _permissions(directory)
    if directory.secret_key.exists():
        yield Finding("secret key", True, f"{directory.secret_key.name} is the one of the log")
    if not directory.keys.exists() and has_accounts(directory.log):
        yield Finding(
            "keys of people",
            False,
            f"{directory.keys.name} is missing: without it no personal data can be read",
        )


def _permissions(directory: DataDirectory) -> Finding:
    """Name the files that others may read or write: every start takes these rights where it can."""
    opened = [
        f"{'the folder' if path.is_dir() else path.name} ({stat.S_IMODE(path.stat().st_mode):o})"
        for path in open_to_others(directory.path)
    ]
    if not opened:
        return Finding("permissions", True, "everything is its owner's alone")
    more = f" and {len(opened) - _NAMED} more" if len(opened) > _NAMED else ""
    return Finding("permissions", False, f"others have rights on {', '.join(opened[:_NAMED])}{more}")


def _analyser_finding() -> Finding:
    """Start the process that parses people's files, and say which limits this platform refuses."""
    part, analyser = "analyser", ProcessAnalyser()
    try:
        missing = analyser.missing()
    except AnalyserUnavailableError as error:
        return Finding(part, False, str(error))
    finally:
        analyser.close()
    if missing:
        return Finding(part, True, f"works, but this platform refuses it: {', '.join(missing)}")
    return Finding(part, True, "locked in: no secrets, files, connections or other processes; bounded memory")


def _inner_findings(settings: Settings) -> Iterator[Finding]:
    for finding in operate(settings, "examine", {})["findings"]:
        yield Finding(finding["part"], finding["ok"], finding["detail"])

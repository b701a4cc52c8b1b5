"""A PostgreSQL server in a temporary folder: fsync on, and a Unix socket only."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_INSTALLED = Path("/usr/lib/postgresql")
_USERS = ("postgres", "nobody")
_READY_SECONDS = 30.0
_STOP_SECONDS = 30.0


class PostgresMissingError(Exception):
    """PostgreSQL cannot be run here; the text says why."""


@dataclass(frozen=True)
class Postgres:
    """A running server: its process id, and the variables with which an application reaches it."""

    pid: int
    env: dict[str, str]


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server; raise PostgresMissingError where it cannot be run."""
    programs = installed()
    if programs is None:
        raise PostgresMissingError("no PostgreSQL programs (initdb, postgres) on this machine")
    user = _user()
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        _run(
            [str(programs / "initdb"), "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8"],
            user,
            folder,
        )
        with (folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    str(programs / "postgres"),
                    "-D",
                    str(data),
                    "-k",
                    str(folder),
                    "-c",
                    "listen_addresses=",
                    "-c",
                    "fsync=on",
                    "-c",
                    "synchronous_commit=on",
                    "-c",
                    "shared_buffers=128MB",
                ],
                user=user,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_ready(folder, process)
            yield Postgres(process.pid, _environment(folder))
        finally:
            _stop(process)


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": "postgres",
        "POSTGRES_HOST": str(folder),
        "POSTGRES_USER": "bench",
        "POSTGRES_PASSWORD": "unused",
    }


def installed() -> Path | None:
    """Return the folder of PostgreSQL's programs: one on the path, else the one that Debian uses."""
    on_path = [
        Path(path).resolve().parent for path in (shutil.which("postgres"), shutil.which("initdb")) if path
    ]
    for folder in [*on_path, *sorted(_INSTALLED.glob("*/bin"), reverse=True)]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _user() -> str | None:
    """Return the user to run the server as, None for the current one: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in _USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise PostgresMissingError("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _run(command: Sequence[str], user: str | None, folder: Path) -> None:
    completed = subprocess.run(command, user=user, cwd=folder, capture_output=True, check=False, timeout=120)
    if completed.returncode:
        raise PostgresMissingError(f"initdb failed: {completed.stderr.decode(errors='replace')[-500:]}")


def _wait_ready(folder: Path, process: subprocess.Popen[bytes]) -> None:
    try:
        import psycopg  # noqa: PLC0415 # only this peer needs the driver
    except ImportError as error:
        raise PostgresMissingError("the driver psycopg is not installed") from error
    end = time.perf_counter() + _READY_SECONDS
    while time.perf_counter() < end and process.poll() is None:
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(host=str(folder), user="bench", dbname="postgres"),
        ):
            return
        time.sleep(0.05)
    raise PostgresMissingError(f"PostgreSQL did not start: {(folder / 'server.log').read_text()[-500:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)  # a fast shutdown: the server disconnects its clients
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_SECONDS)

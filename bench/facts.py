"""Facts about the machine that a reader needs to judge a figure."""

import importlib.metadata
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from bench.postgres import installed
from bench.statistics import median

_PACKAGES = (
    "codepark",
    "eventsourcing",
    "litestar",
    "granian",
    "msgspec",
    "uvloop",
    "fastapi",
    "starlette",
    "uvicorn",
    "httptools",
    "pydantic",
    "psycopg",
)
_SYNCS = 200


def machine() -> dict[str, Any]:
    """Return the facts of this machine, and the versions of the packages under measure."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memoryGiB": round(psutil.virtual_memory().total / 2**30, 1),
        "sqlite": sqlite3.sqlite_version,
        "postgres": _postgres(),
        "fsyncMs": round(1000 * _fsync_seconds(), 3),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "generator": "asyncio on "
        + ("uvloop" if _version("uvloop") and sys.platform != "win32" else "the standard loop"),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def _postgres() -> str | None:
    programs = installed()
    if programs is None:
        return None
    command = [str(programs / "postgres"), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _fsync_seconds() -> float:
    """Return the median time of a durable write of 4 KiB to the folder of temporary files."""
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return median(times)

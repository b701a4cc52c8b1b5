"""What a reader must know of the machine before believing a number."""

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
    """Return the machine and the versions of what is measured on it."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memoryGiB": round(psutil.virtual_memory().total / 2**30, 1),
        "sqlite": sqlite3.sqlite_version,
        "postgres": _postgres(),
        "fsyncMs": round(1000 * _fsync_seconds(), 3),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
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
    found = installed()
    if found is None:
        return None
    done = subprocess.run([str(found / "postgres"), "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _fsync_seconds() -> float:
    """Return the median time of writing 4 KiB durably where the temporary folders are."""
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return median(taken)

"""The page on running a cluster, followed from beginning to end, line by line, twice in the same folder.

The development servers of the tests stand for those of `make cluster` and of Compose: `make` and `docker` are
small scripts here, which do with CodePark's processes what the page says of them.
"""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.docs.shell import Shell
from tests.support.server import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/run-a-cluster.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_STATUS = re.compile(r"^status (\d+)$", re.MULTILINE)
_CLUSTER = "https://localhost"

MAKE = """#!/bin/sh
case "$1" in
cluster) cat "$SERVERS" ;;
cluster-stop) ;;
*) exit 2 ;;
esac
"""

DOCKER = """#!/bin/bash
set -eu
[ "$1" = compose ] && [ "${COMPOSE_PROFILES-}" = one ]
. "$SERVERS"
export CODEPARK_TOPIC_PREFIX=${CODEPARK_TOPIC_PREFIX}compose.
export CODEPARK_SECRET_KEY_FILE=$PWD/secrets/secret-key CODEPARK_PORT=$COMPOSE_PORT
unset CODEPARK_DATA
case "$2" in
up)
    [ "$(stat -c %a secrets)" = 700 ] && [ "$(stat -c %a secrets/mongodb-uri)" = 444 ]
    codepark worker projections > projections.log 2>&1 & echo $! > compose.pids
    CODEPARK_DATA=$PWD/api-1 codepark serve > api-1.log 2>&1 & echo $! >> compose.pids
    curl --silent --fail --retry 90 --retry-delay 1 --retry-all-errors \
        http://127.0.0.1:$COMPOSE_PORT/health/ready > /dev/null
    ;;
exec) shift 3; CODEPARK_DATA=$PWD/api-1 "$@" ;;
down) xargs kill < compose.pids; tail --pid="$(tail -1 compose.pids)" -f /dev/null; rm compose.pids ;;
*) exit 2 ;;
esac
"""


def lines():
    """Return the lines of the page that a shell runs, in order."""
    return [line for block in _BLOCK.findall(PAGE) for line in block.splitlines() if line.strip()]


@pytest.fixture
def folder(tmp_path, kafka, mongodb_uri, redis_url, topic_prefix):
    """A folder with the files that the page uses, and the stand-ins for `make` and `docker`."""
    lacking = [name for name in ("bash", "curl", "openssl", "tail") if shutil.which(name) is None]
    if lacking:
        pytest.skip(f"the page needs {', '.join(lacking)}")
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    (tmp_path / "bin").mkdir()
    for name, text in {"make": MAKE, "docker": DOCKER}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    servers = {
        "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": kafka,
        "CODEPARK_MONGODB_URI": mongodb_uri,
        "CODEPARK_REDIS_URL": redis_url,
        "CODEPARK_TOPIC_PREFIX": topic_prefix,
    }
    text = "".join(f"export {name}='{value}'\n" for name, value in servers.items())
    (tmp_path / "servers.env").write_text(text)
    return tmp_path


def followed(folder):
    """Follow the page in a new shell; return the lines that failed, each with what it printed."""
    port, compose_port = free_port(), free_port()
    shell = Shell(folder, f"http://127.0.0.1:{port}")
    failed = []
    try:
        shell.run(
            f"export PATH={folder}/bin:{Path(sys.executable).parent}:$PATH SERVERS={folder}/servers.env "
            f"CODEPARK_PORT={port} COMPOSE_PORT={compose_port}"
        )
        for line in lines():
            command = line.replace(_CLUSTER, f"http://127.0.0.1:{compose_port}")
            printed = shell.run(f"{command}\ncode=$?; echo; echo status $code")
            if _STATUS.findall(printed)[-1:] != ["0"]:
                failed.append(f"$ {line}\n{printed}\n{shell.errors()[-3000:]}")
                break
    finally:
        shell.run("kill $(jobs -p) 2>/dev/null; [ ! -e compose.pids ] || xargs kill < compose.pids; wait")
        shell.close()
    return failed


def test_the_page_can_be_followed_twice(folder):
    assert followed(folder) == []
    keys = {name: (folder / name).read_bytes() for name in ("cluster.key", "secrets/secret-key")}
    assert followed(folder) == []
    assert {name: (folder / name).read_bytes() for name in keys} == keys


def test_the_page_has_the_lines_that_matter():
    text = "\n".join(lines())
    for words in ("make cluster", "worker insights", "codepark doctor", "compose up", "secrets.sh"):
        assert words in text

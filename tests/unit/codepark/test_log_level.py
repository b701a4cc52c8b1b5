"""The level of the log changes while a process runs, for every logger that there is."""

import subprocess
import sys

import msgspec
import pytest

from codepark.log_level import (
    LEVELS,
    LOG_LEVEL,
    Hangups,
    checked_level,
    share_level,
    shared_file,
    shared_level,
)
from domain.errors import InvalidError

PROGRAM = """
import logging, sys
import structlog
from codepark import logs
from codepark.log_level import LOG_LEVEL
from telemetry.trace_lines import trace
logs.configure("info")
ours, bound, other = structlog.get_logger("ours"), structlog.get_logger("bound").bind(bound=1), "other"
for level in sys.argv[1:]:
    ours.info("before")  # the logger is kept from its first use on
    LOG_LEVEL.change(level)
    print("level", level, file=sys.stderr)
    trace("batch", events=1)
    for logger in (ours, bound, logging.getLogger("other")):
        for method in ("debug", "info", "warning", "error"):
            getattr(logger, method)(method)
"""
OURS = ("debug", "info", "warning", "error")
EXPECTED = {
    "trace": ["batch", *OURS, *OURS, *OURS],
    "debug": [*OURS, *OURS, *OURS],
    "info": [*OURS[1:], *OURS[1:], *OURS[2:]],
    "warning": [*OURS[2:]] * 3,
    "error": [*OURS[3:]] * 3,
}


def test_every_logger_follows_each_change():
    order = ["trace", "error", "debug", "warning", "info"]
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *order], capture_output=True, text=True, check=True
    )
    shown: dict[str, list[str]] = {}
    for line in ended.stderr.splitlines():
        if line.startswith("level "):
            events = shown[line.removeprefix("level ")] = []
        elif shown and msgspec.json.decode(line)["event"] not in ("before", "log level changed"):
            events.append(msgspec.json.decode(line)["event"])
    assert shown == EXPECTED
    assert sorted(LEVELS) == sorted(EXPECTED)
    lines = [msgspec.json.decode(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    assert [line["level"] for line in lines if line["event"] == "batch"] == ["trace"]
    changes = [line["now"] for line in lines if line["event"] == "log level changed"]
    assert changes == order, "also where the new level does not show the line's own"


@pytest.mark.parametrize(("start", "levels"), [("info", ["debug", "info"]), ("debug", ["info", "debug"])])
def test_a_hangup_switches_between_the_level_of_the_start_and_debug(start, levels):
    before, changes = LOG_LEVEL.name, []

    def change(level):
        changes.append(level)
        LOG_LEVEL.set(level)

    try:
        LOG_LEVEL.set(start)
        hangups = Hangups(None, start, change)
        for _ in levels:
            hangups.act()
    finally:
        LOG_LEVEL.set(before)
    assert changes == levels


def test_a_hangup_reads_the_file(tmp_path):
    file, changes = tmp_path / "level", []
    hangups = Hangups(file, "info", changes.append)
    for text in (" Trace\n", "loud", "warning"):
        file.write_text(text)
        hangups.act()
    file.write_bytes(b"\xff")
    hangups.act()
    file.unlink()
    hangups.act()
    assert changes == ["trace", "warning"], "what names no level changes nothing"


def test_a_level_has_one_of_five_names():
    assert checked_level(" DEBUG ") == "debug"
    with pytest.raises(InvalidError, match="'loud'; there are trace, debug, info, warning, error"):
        checked_level("loud")


def test_processes_that_share_a_port_share_the_level(tmp_path):
    assert shared_level(None) is None
    assert shared_level(tmp_path) is None
    share_level(tmp_path, "trace")
    assert shared_level(tmp_path) == "trace"
    assert list(tmp_path.iterdir()) == [shared_file(tmp_path)]
    shared_file(tmp_path).write_text("?")
    assert shared_level(tmp_path) is None
    share_level(None, "trace")

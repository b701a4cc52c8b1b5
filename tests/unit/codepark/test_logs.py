"""Every line of a log is ours in form: JSON, also from other packages; a request that is sent has none."""

import subprocess
import sys

import msgspec
import pytest

PROGRAM = """
import logging, sys
import structlog
from codepark import logs
logs.configure(sys.argv[1])
logging.config.dictConfig(logs.standard_logging(sys.argv[1]))
structlog.get_logger("ours").warning("ours", number=1)
for name in ("httpx", "httpcore"):
    logging.getLogger(name).info("HTTP Request: POST http://node/ 200 OK")
    logging.getLogger(name).debug("send_request_headers.started")
logging.getLogger("aiokafka").critical("a driver's words\\nin two lines")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("other").exception("it failed with %s", "this")
logging.getLogger("other").info("details")
"""


@pytest.mark.parametrize(
    ("level", "names"),
    [
        ("info", ["ours", "a driver's words\nin two lines", "it failed with this"]),
        ("error", ["a driver's words\nin two lines", "it failed with this"]),
        ("debug", ["ours", "a driver's words\nin two lines", "it failed with this", "details"]),
    ],
)
def test_every_line_is_json(level, names):
    ended = subprocess.run([sys.executable, "-c", PROGRAM, level], capture_output=True, text=True, check=True)
    assert ended.stdout == ""
    lines = [msgspec.json.decode(line) for line in ended.stderr.splitlines()]
    assert [line["event"] for line in lines] == names
    assert all({"level", "timestamp"} <= line.keys() for line in lines)
    failed = next(line for line in lines if line["event"] == "it failed with this")
    assert "ZeroDivisionError" in failed["exception"]

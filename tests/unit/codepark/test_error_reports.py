"""What is reported of an error: its type and its functions, and of its texts none."""

import logging
import sys

import pytest
import structlog

from codepark import logs
from codepark.error_reports import report_feedback, report_logged, reporting
from codepark.sentry_settings import SentrySettings
from tests.support.sentry import sentry_server
from tests.support.server import eventually

SECRET = "ada@example.org"


def failing():
    local = SECRET
    try:
        raise LookupError(local)  # noqa: TRY301 # the cause of the next one
    except LookupError as error:
        raise ValueError(f"{local} is wrong") from error


@pytest.fixture
def sentry():
    with sentry_server() as server:
        with reporting(SentrySettings(server.dsn)):
            yield server
        assert SECRET not in server.text()


@pytest.fixture
def logger():
    """Return a logger as a server has it; the loggers of other packages are as they were afterwards."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    logs.configure("info")
    yield structlog.get_logger()
    structlog.reset_defaults()
    root.setLevel(before[0])
    root.handlers[:] = before[1]


def test_an_error_has_its_causes_and_no_text_of_them(sentry, logger):
    try:
        failing()
    except ValueError:
        logger.exception("projection stopped", models=[SECRET])
    (event,) = eventually(lambda: sentry.of("event"))
    values = event["exception"]["values"]
    assert [(each["type"], each["value"]) for each in values] == [
        ("LookupError", ""),
        ("ValueError", "projection stopped"),
    ]
    assert [frame["function"] for frame in values[-1]["stacktrace"]["frames"]][-1] == "failing"
    assert event["logger"] == "codepark"


def test_a_line_of_another_package_has_none_of_its_words(sentry, logger):
    try:
        failing()
    except ValueError:
        logging.getLogger("driver").exception("it failed for %s", SECRET)
        logging.getLogger("urllib3.connection").exception("not again")
    (event,) = eventually(lambda: sentry.of("event"))
    assert (event["logger"], event["exception"]["values"][-1]["value"]) == (
        "driver",
        "an error of another package",
    )


def test_a_line_without_an_error_is_not_reported(sentry, logger):
    logger.error("worker stops", reason=SECRET)
    report_feedback("slow")
    assert eventually(lambda: sentry.of("feedback"))[0]["contexts"] == {"feedback": {"message": "slow"}}
    assert sentry.of("event") == []


def test_without_sentry_nothing_is_reported():
    with reporting(None):
        report_feedback("nobody gets it")
        line = {"event": "failed", "exc_info": (None, None, None)}
        assert report_logged(None, "error", line) is line
        assert report_logged(None, "error", {"event": "e", "exc_info": True})["event"] == "e"
    assert sys.exc_info() == (None, None, None)

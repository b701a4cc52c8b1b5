"""Logging: structured lines on standard error, those of other packages too."""

import logging
import logging.config
import sys
from typing import Any

import structlog

from codepark.error_reports import report_logged
from codepark.log_level import LOG_LEVEL, ChangeableLogger, level_of_others
from telemetry.tracing import add_ids

_QUIET = ("httpx", "httpcore", "hpack", "urllib3", "sentry_sdk", "pymongo", "aiokafka", "faust", "mode")
"""Packages that write a line for each request that they send, some of them with what is in it."""


def configure(level: str) -> None:
    """Log from *level* up: readable on a terminal, else as JSON lines. `LOG_LEVEL` may change it later."""
    logging.config.dictConfig(standard_logging(level))
    LOG_LEVEL.set(level)
    errors = sys.stderr
    structlog.configure(
        processors=[*_SHARED, report_logged, structlog.processors.format_exc_info, _renderer()],
        wrapper_class=ChangeableLogger,
        logger_factory=lambda *_: _Writer(errors),
        cache_logger_on_first_use=True,
    )


class _Writer(structlog.WriteLogger):
    """Writes lines of every level, trace too."""

    trace = structlog.WriteLogger.msg


def standard_logging(level: str) -> dict[str, Any]:
    """Return the configuration of the standard library's loggers, which other packages write to.

    Their lines have the form of ours. Of other packages, warnings and errors are logged; with *level* debug
    or trace everything but the lines of single requests.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    _renderer(),
                ],
                "foreign_pre_chain": [*_SHARED, structlog.stdlib.add_logger_name, report_logged],
            }
        },
        "handlers": {
            "errors": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "structured",
            }
        },
        "root": {"level": level_of_others(level), "handlers": ["errors"]},
        "loggers": {name: {"level": "WARNING"} for name in _QUIET},
    }


_SHARED: list[Any] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    add_ids,
]


def _renderer() -> Any:
    interactive = sys.stderr.isatty()
    return structlog.dev.ConsoleRenderer() if interactive else structlog.processors.JSONRenderer()

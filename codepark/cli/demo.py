"""The first project of a demonstration: this checkout's own history, or a small sample."""

from pathlib import Path

import structlog

from codepark.embedded import Embedded
from codepark.importing.histories import open_history
from codepark.importing.run import import_history
from codepark.importing.sample import SampleHistory
from codepark.importing.sinks import ImportFailedError, LocalSink
from codepark.importing.source import HistoryError, HistorySource
from domain.actor import SERVICE

logger = structlog.get_logger(__name__)


def import_demo(parts: Embedded) -> None:
    """Import the history beside the code as a public project; a second time adds nothing."""
    try:
        source = _history()
        done = import_history(source, LocalSink(parts, SERVICE), source.name, public=True)
    except (HistoryError, ImportFailedError) as error:
        logger.warning("no demonstration project", reason=str(error))
        return
    logger.info("demonstration project", name=source.name, id=done.project_id, commits=done.commits)


def _history() -> HistorySource:
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / ".git").exists():
        try:
            return open_history(checkout)
        except HistoryError as error:
            logger.info("the checkout's history cannot be read; a sample takes its place", reason=str(error))
    return SampleHistory()

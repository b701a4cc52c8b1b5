"""The first project of a demonstration: this checkout's own history, or a small sample."""

from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from codepark.history_import.source import HistoryError, HistorySource, ImportFailedError
from domain.actor import SERVICE

if TYPE_CHECKING:
    from codepark.profiles.profile import Profile

logger = structlog.get_logger(__name__)


def import_demo(profile: "Profile") -> None:
    """Import the checkout's history as a public project; a second import adds nothing."""
    from codepark.history_import.run import import_history  # noqa: PLC0415 # a server answers before it imports
    from codepark.history_import.sinks import LocalSink  # noqa: PLC0415 # as above

    try:
        source = _history()
        result = import_history(source, LocalSink(profile, SERVICE), source.name, public=True)
    except (HistoryError, ImportFailedError) as error:
        logger.warning("no demonstration project", reason=str(error))
        return
    logger.info("demonstration project", name=source.name, id=result.project_id, commits=result.commits)


def _history() -> HistorySource:
    from codepark.history_import.histories import open_history  # noqa: PLC0415 # as above
    from codepark.history_import.sample import SampleHistory  # noqa: PLC0415 # as above

    checkout = Path(__file__).resolve().parents[2]
    if (checkout / ".git").exists():
        try:
            return open_history(checkout)
        except HistoryError as error:
            logger.info("the checkout's history cannot be read; a sample takes its place", reason=str(error))
    return SampleHistory()

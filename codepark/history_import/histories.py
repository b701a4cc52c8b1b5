"""Open a history of any kind."""

from pathlib import Path

from codepark.history_import.jsonl import SUFFIXES, JsonlHistory
from codepark.history_import.source import ACCEPTED, HistoryError, HistorySource


def open_history(path: Path, *, all_parents: bool = False) -> HistorySource:
    """Return the history at *path*; raise HistoryError where there is none that can be read."""
    if not path.exists():
        raise HistoryError(f"{path} does not exist; give {ACCEPTED}")
    if path.is_file() and path.name.endswith(SUFFIXES):
        return JsonlHistory(path)
    if path.is_dir():
        from codepark.history_import.git.repository import GitHistory  # noqa: PLC0415 # its library is large

        return GitHistory(path, all_parents=all_parents)
    raise HistoryError(f"{path} is not a history; give {ACCEPTED}")

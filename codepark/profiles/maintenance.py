"""What operators ask of an installation; each profile does it in its own way."""

from collections.abc import Callable
from typing import Any, Protocol

from projections.model import ReadModel

Advanced = Callable[[int, int], None]
"""Gets how many events are included, and how many there are."""


class Maintenance(Protocol):
    """The work behind `codepark rebuild`, `codepark dead-letters retry` and `codepark keys rotate-master`."""

    def rebuild(self, model: ReadModel, advanced: Advanced | None) -> int:
        """Build *model* again next to the live one, switch to it, and return how many events it includes."""
        ...

    def retry_dead_letters(self) -> dict[str, Any]:
        """Retry every dead letter; return how many were `solved` and how many are `left`.

        `reasons` says of those that could not be retried at all why not.
        """
        ...

    def rotate_master_key(self) -> dict[str, int]:
        """Re-wrap people's keys by the newest master key; return its `version` and how many it `wrapped`."""
        ...

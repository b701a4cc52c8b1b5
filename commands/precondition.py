"""What must be true of a command's subject before the command takes effect (RFC 9110, section 13.1)."""

from typing import Any

from msgspec import Struct

from domain.errors import PreconditionFailedError, StaleVersionError


class Precondition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a caller requires of the resource that a command changes.

    *exists* requires that it exists, or that it does not. One of *versions* must be the current one, none of
    *other_than* may be. None and nothing stand for every state.
    """

    exists: bool | None = None
    versions: tuple[int, ...] | None = None
    other_than: tuple[int, ...] = ()

    def check(self, *, exists: bool, version: int) -> None:
        """Raise StaleVersionError or PreconditionFailedError where the resource is in another state."""
        if self.versions is not None and version not in self.versions and len(self.versions) == 1:
            raise StaleVersionError(expected=self.versions[0], actual=version)
        if self.exists and not exists:
            raise PreconditionFailedError("there is nothing to change here: leave If-Match out to create it")
        if self.exists is False and exists:
            raise PreconditionFailedError(
                "it exists already: leave If-None-Match out to change it, or send its ETag as If-Match"
            )
        if self.versions is not None and version not in self.versions:
            raise PreconditionFailedError(
                f"the current version is {version}, which If-Match does not name: load it again",
                code="version_mismatch",
            )
        if exists and version in self.other_than:
            raise PreconditionFailedError(
                f"the current version is {version}, which If-None-Match excludes: there is nothing newer"
            )


def present(state: Any, _: Any) -> bool:
    """Return whether the stream in *state* has something to show: most states say whether they exist."""
    return getattr(state, "exists", True) and not getattr(state, "deleted", False)

"""Why a command is refused, grouped by what the caller should do.

Refusal
├── InvalidError        change the input
├── TooLargeError       send less
├── ForbiddenError      ask for a role
├── NotFoundError       name something that exists (and that you may see)
├── ConflictError       the state does not allow it
├── StaleVersionError   load again, then decide again
└── PreconditionFailedError  the same, for the other preconditions of a request
"""

from typing import ClassVar


class Refusal(Exception):  # noqa: N818 # a refusal is an outcome, not a fault
    """The command may not take effect; *code* is stable, the message says what to change."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: str, *, code: str | None = None, pointer: str | None = None) -> None:
        """Keep the *message* for the caller, a narrower *code*, and the JSON *pointer* into the input."""
        super().__init__(message)
        self.message = message
        self.specific_code = code or self.code
        self.pointer = pointer


class InvalidError(Refusal):
    """The command's data is invalid, whatever the state."""

    code = "invalid"


class TooLargeError(Refusal):
    """The command's data is larger than a limit allows."""

    code = "too_large"


class ForbiddenError(Refusal):
    """The actor may see the resource, but may not do this to it."""

    code = "forbidden"


class NotFoundError(Refusal):
    """The resource does not exist, or the actor may not know of it."""

    code = "not_found"


class ConflictError(Refusal):
    """The state does not allow the command."""

    code = "conflict"


class StaleVersionError(Refusal):
    """The stream has another version than the command expects."""

    code = "version_mismatch"

    def __init__(self, *, expected: int, actual: int) -> None:
        """Keep both versions."""
        super().__init__(f"expected version {expected}, but the current version is {actual}: load it again")
        self.expected = expected
        self.actual = actual


class PreconditionFailedError(Refusal):
    """The resource is in another state than the caller requires."""

    code = "precondition_failed"

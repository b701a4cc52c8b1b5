import pytest

from domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    Refusal,
    StaleVersionError,
    TooLargeError,
)


@pytest.mark.parametrize("error", [ConflictError, ForbiddenError, InvalidError, NotFoundError, TooLargeError])
def test_a_refusal_has_a_code(error):
    refused = error("Do it otherwise")
    assert isinstance(refused, Refusal)
    assert (refused.specific_code, str(refused)) == (error.code, "Do it otherwise")


def test_a_narrower_code():
    refused = InvalidError("x", code="invalid_path", pointer="/path")
    assert (refused.code, refused.specific_code, refused.pointer) == ("invalid", "invalid_path", "/path")


def test_a_stale_version_names_both():
    refused = StaleVersionError(expected=2, actual=3)
    assert (refused.expected, refused.actual, refused.specific_code) == (2, 3, "version_mismatch")
    assert "current version is 3" in refused.message

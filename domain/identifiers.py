"""The names of streams and home keys, and ids derived from others."""

import hashlib
from functools import lru_cache
from uuid import UUID

ACCOUNTS_HOME = "accounts"
"""The home key of all accounts and their claims: one partition decides whether a name is taken."""


def derived_uuid(*parts: str) -> str:
    """Return a UUIDv8 (RFC 9562, section 5.8): SHA-256 over *parts*, each with its length before it."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(4, "big"))
        digest.update(data)
    value = int.from_bytes(digest.digest()[:16], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def project_stream(project_id: str) -> str:
    """Name the stream of a project."""
    return f"project-{project_id}"


@lru_cache(maxsize=1_024)  # a request names the stream of one file several times
def file_stream(project_id: str, path: str) -> str:
    """Name the stream of the file at *path* of a project."""
    return f"file-{derived_uuid('file', project_id, path)}"


def commits_stream(project_id: str) -> str:
    """Name the stream of a project's commit history."""
    return f"commits-{project_id}"


def review_stream(review_id: str) -> str:
    """Name the stream of a review."""
    return f"review-{review_id}"


def build_stream(build_id: str) -> str:
    """Name the stream of a build."""
    return f"build-{build_id}"


def suggestion_stream(project_id: str, suggestion_id: str) -> str:
    """Name the stream of the verdict on a suggestion."""
    return f"suggestion-{derived_uuid('suggestion', project_id, suggestion_id)}"


def account_stream(account_id: str) -> str:
    """Name the stream of an account."""
    return f"account-{account_id}"


def claim_stream(claim: str) -> str:
    """Name the stream of a claim; *claim* is the keyed hash of the claimed value."""
    return f"claim-{claim}"


def credentials_stream(account_id: str) -> str:
    """Name the stream of the credentials of an account."""
    return f"credentials-{account_id}"


def session_stream(session_id: str) -> str:
    """Name the stream of a session."""
    return f"session-{session_id}"


def token_stream(token_id: str) -> str:
    """Name the stream of an API token."""
    return f"token-{token_id}"


def preferences_stream(account_id: str) -> str:
    """Name the stream of how an account wants to hear of news."""
    return f"preferences-{account_id}"


def mail_stream(account_id: str) -> str:
    """Name the stream of the mail that an account was sent."""
    return f"mail-{account_id}"


def erasure_stream(home: str, person: str) -> str:
    """Name the stream of the erasure of *person*'s traces under *home*."""
    return f"erasure-{derived_uuid('erasure', home, person)}"


SIGNING_STREAM = "signing-keys"
"""The stream of the generations of the signing key."""


def inbox_stream(account_id: str) -> str:
    """Name the stream of an account's notifications."""
    return f"inbox-{account_id}"


def announcement_stream(announcement_id: str) -> str:
    """Name the stream of an announcement."""
    return f"announcement-{announcement_id}"


def feedback_stream(feedback_id: str) -> str:
    """Name the stream of one message to those who run the platform."""
    return f"feedback-{feedback_id}"


def technical_stream(home_key: str) -> str:
    """Name the stream of events about the log itself, in the partition of *home_key*."""
    return f"commands-{home_key}"

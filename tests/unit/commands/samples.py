"""Example inputs, as JSON, of every type of command that callers send, and the context of their builders."""

from typing import Any

from commands.table.row import BuildContext
from tests.support.profile import ADA, SECRETS

ACCOUNT = ADA.id
PROJECT = "01900000-0000-7000-8000-000000000001"
NEW = "01900000-0000-7000-8000-000000000002"
OTHER = "01900000-0000-7000-8000-000000000003"
SHA = "0a1b2c3d4e5f"

INPUTS: dict[str, dict[str, Any]] = {
    "project.create": {"name": "Park", "description": "d", "visibility": "public", "language": "Python"},
    "project.update": {"name": "Garden", "language": None},
    "collaborator.set": {"accountId": OTHER, "role": "editor"},
    "collaborator.remove": {"accountId": OTHER},
    "file.write": {"path": "src/a.py", "content": "print(1)\n", "encoding": "utf-8"},
    "file.delete": {"path": "src/a.py"},
    "commit.record": {
        "message": "First",
        "author": {"name": "Ada", "email": "ada@example.org"},
        "authoredAt": "2024-01-31T12:00:00+01:00",
        "parents": ["abcd"],
        "changes": [{"path": "a.py", "status": "A", "content": "x"}],
        "sha": SHA,
    },
    "review.open": {"title": "Look", "description": "at @ada", "commits": [SHA]},
    "review.comment": {"reviewId": OTHER, "text": "@ada: why?", "path": "a.py", "line": 3},
    "review.decide": {"reviewId": OTHER, "decision": "approved", "text": "good"},
    "review.close": {"reviewId": OTHER},
    "build.queue": {"name": "test", "commit": SHA},
    "build.move": {"buildId": OTHER, "status": "running"},
    "announcement.publish": {"title": "News", "text": "Good ones"},
    "feedback.give": {"message": "It is slow", "requestId": "r-1"},
    "suggestion.accept": {"suggestionId": OTHER},
    "suggestion.dismiss": {"suggestionId": OTHER},
    "notifications.read": {"ids": ["n1", "n2"]},
}
"""A command without required fields needs no example."""


def example_of(name: str) -> dict[str, Any]:
    """Return the example input of the commands called *name*."""
    return dict(INPUTS.get(name, {}))


def context(target: str = PROJECT) -> BuildContext:
    """Return the context of a builder: every name that is mentioned belongs to the same account."""
    return BuildContext(
        target=target, new_id=NEW, account=ACCOUNT, secrets=SECRETS, account_named=lambda _: OTHER
    )

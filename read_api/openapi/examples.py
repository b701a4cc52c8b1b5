"""A body for each operation that takes one: what a person might send first.

Tests send each of them, with ids, tokens and codes of their own, and get what the document says of success.
"""

from collections.abc import Mapping
from typing import Any

from read_api.openapi.parameters import EXAMPLE_ID

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
_TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"  # noqa: S105 # an example
_CODE = {"code": "123456"}

_CHANGES = [
    {"path": "src/count.py", "status": "A", "content": "def count(things):\n    return len(things)\n"},
    {"path": "README.md", "status": "A", "content": "# Counter\n"},
]
_COMMANDS = [
    {"type": "project.create", "data": {"name": "counter"}, "id": "first"},
    {
        "type": "file.write",
        "target": EXAMPLE_ID,
        "data": {"path": "README.md", "content": "# Counter\n"},
        "id": "second",
    },
]

EXAMPLES: Mapping[str, Any] = {
    "register": {"email": EMAIL, "name": "ada", "password": PASSWORD},
    "login": {"email": EMAIL, "password": PASSWORD},
    "refresh": {"refreshToken": _TOKEN},
    "logout": {"refreshToken": _TOKEN},
    "mfa_enable": _CODE,
    "mfa_verify": {"mfaToken": _TOKEN, **_CODE},
    "mfa_disable": _CODE,
    "forgot_password": {"email": EMAIL},
    "reset_password": {"token": _TOKEN, "password": "a new horse every day"},
    "verify_address": {"token": _TOKEN},
    "patch_me": {"name": "ada-lovelace"},
    "create_token": {"name": "nightly build", "scopes": ["read", "write"], "days": 30},
    "change_password": {"currentPassword": PASSWORD, "newPassword": "a new horse every day"},
    "patch_account": {"roles": ["user", "auditor"], "tier": "pro"},
    "change_preferences": {"mentioned": {"live": True, "mail": "daily"}, "weeklyReport": False},
    "create_project": {"name": "counter", "description": "It counts.", "visibility": "public"},
    "replace_project": {"name": "counter", "description": "It counts more.", "language": "Python"},
    "patch_project": {"description": "It counts everything.", "language": None},
    "set_collaborator": {"role": "editor"},
    "write_file": {"content": "def count(things):\n    return len(things)\n"},
    "record_commit": {
        "message": "Count things",
        "author": {"name": "Ada", "email": EMAIL},
        "authoredAt": "2026-01-31T12:00:00Z",
        "changes": _CHANGES,
    },
    "open_review": {"title": "Count faster", "description": "Please look at it, @ada."},
    "comment_review": {"text": "Why not `sum`?", "path": "src/count.py", "line": 2},
    "decide_review": {"decision": "approved", "text": "Good."},
    "queue_build": {"name": "tests"},
    "move_build": {"status": "running"},
    "publish_announcement": {"title": "Maintenance", "text": "On Sunday at noon, for ten minutes."},
    "give_feedback": {"message": "The list of reviews loads slowly.", "requestId": "7d6ad4d0-web-1"},
    "carry_out": {"commands": _COMMANDS},
}
"""By the ids of the operations."""

"""Where an answer leads: which operations take what it holds (the `links` of OpenAPI)."""

from collections.abc import Iterable, Mapping
from typing import Any

_ID = "$response.body#/id"
_FIRST_ID = "$response.body#/items/0/id"
_PROJECT = "$request.path.project_id"

_OF_A_PROJECT = (
    "get_project",
    "patch_project",
    "replace_project",
    "list_collaborators",
    "list_files",
    "list_commits",
    "record_commit",
    "get_timeline",
    "list_reviews",
    "open_review",
    "list_builds",
    "queue_build",
    "get_insights",
    "list_history",
    "delete_project",
)
_OF_A_REVIEW = ("get_review", "comment_review", "decide_review", "close_review")
_OF_A_BUILD = ("get_build", "move_build")
_OF_A_COLLABORATOR = ("get_collaborator", "remove_collaborator")
_COMMAND = {"command_id": "$response.header.CodePark-Command"}

_Links = tuple[Iterable[str], Mapping[str, str]]

_LINKS: Mapping[str, tuple[_Links, ...]] = {
    "register": ((("get_account",), {"account_id": _ID}),),
    "get_jobs": ((("get_job", "retry_job", "cancel_job"), {"job_id": _FIRST_ID}),),
    "list_projects": ((_OF_A_PROJECT, {"project_id": _FIRST_ID}),),
    "create_project": ((_OF_A_PROJECT, {"project_id": _ID}), (("get_command",), _COMMAND)),
    "get_project": (
        (("get_account",), {"account_id": "$response.body#/ownerId"}),
        (("get_file",), {"project_id": _PROJECT, "path": "$response.body#/files/0/path"}),
    ),
    "patch_project": ((("get_project",), {"project_id": _PROJECT}), (("get_command",), _COMMAND)),
    "set_collaborator": (
        (_OF_A_COLLABORATOR, {"project_id": _PROJECT, "account_id": "$request.path.account_id"}),
    ),
    "list_collaborators": ((_OF_A_COLLABORATOR, {"project_id": _PROJECT, "account_id": _FIRST_ID}),),
    "list_files": ((("get_file",), {"project_id": _PROJECT, "path": "$response.body#/items/0/path"}),),
    "write_file": (
        (("get_file", "delete_file"), {"project_id": _PROJECT, "path": "$request.path.path"}),
        (("get_command",), _COMMAND),
    ),
    "list_commits": ((("get_commit",), {"project_id": _PROJECT, "sha": "$response.body#/items/0/sha"}),),
    "record_commit": ((("get_commit",), {"project_id": _PROJECT, "sha": "$response.body#/sha"}),),
    "list_reviews": ((_OF_A_REVIEW, {"project_id": _PROJECT, "review_id": _FIRST_ID}),),
    "open_review": ((_OF_A_REVIEW, {"project_id": _PROJECT, "review_id": _ID}),),
    "list_builds": ((_OF_A_BUILD, {"project_id": _PROJECT, "build_id": _FIRST_ID}),),
    "queue_build": ((_OF_A_BUILD, {"project_id": _PROJECT, "build_id": _ID}),),
    "list_sessions": ((("revoke_session",), {"session_id": _FIRST_ID}),),
    "list_tokens": ((("revoke_token",), {"token_id": _FIRST_ID}),),
    "create_token": ((("revoke_token",), {"token_id": _ID}),),
    "list_all_accounts": ((("get_account",), {"account_id": _FIRST_ID}),),
    "list_announcements": ((("get_announcement",), {"announcement_id": _FIRST_ID}),),
    "publish_announcement": ((("get_announcement",), {"announcement_id": _ID}),),
    "list_notifications": ((("get_project",), {"project_id": "$response.body#/items/0/projectId"}),),
}
"""Of each operation: those that take what its answer holds, and which parameters they take from where."""

_BODIES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "login": {
        "refresh": {"refreshToken": "$response.body#/refreshToken"},
        "mfa_verify": {"mfaToken": "$response.body#/mfaToken", "code": "123456"},
    },
    "refresh": {
        "refresh": {"refreshToken": "$response.body#/refreshToken"},
        "logout": {"refreshToken": "$response.body#/refreshToken"},
    },
}
"""Of each operation: those whose body takes what its answer holds."""


def links_of(operation: str) -> dict[str, Any]:
    """Return the links of the answer of *operation* by their names."""
    links: dict[str, Any] = {}
    for targets, parameters in _LINKS.get(operation, ()):
        for target in targets:
            text = f"Send what this answer holds to `{target}`."
            links[target] = {"operationId": target, "parameters": dict(parameters), "description": text}
    for target, body in _BODIES.get(operation, {}).items():
        text = f"Send what this answer holds to `{target}`."
        links[target] = {"operationId": target, "requestBody": dict(body), "description": text}
    return links

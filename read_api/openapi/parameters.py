"""The parameters of an operation: those in its path, those of its query, and its headers."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from read_api.gateway.operation import FIELDS, Operation, item_of, struct_fields
from read_api.openapi.formats import DATE, DATE_TIME, UUID, one_of

Schema = dict[str, Any]

PARAMETER = re.compile(r"\{(\w+):\w+\}")
REF = "#/components/schemas/{name}"

_WORD: Schema = {"type": "string", "pattern": "^[A-Za-z0-9:_-]{1,64}$"}
_ID: Schema = {"type": "string", **UUID}
_ACCOUNT: Schema = {"type": "string", "pattern": "^@?[A-Za-z0-9:_-]{1,64}$"}
_PATH: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 1024,
    "pattern": r"^[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$",
}
EXAMPLE_ID = "0190163d-8694-739b-aea5-966c26f8ad91"

_IN_PATH: Mapping[str, tuple[str, Schema, str]] = {
    "account_id": ("The id of the account.", _WORD, EXAMPLE_ID),
    "announcement_id": ("The id of the announcement.", _ID, EXAMPLE_ID),
    "build_id": ("The id of the build.", _ID, EXAMPLE_ID),
    "command_id": ("The id of the command, from the header `CodePark-Command`.", _ID, EXAMPLE_ID),
    "job_id": (
        "The id of the job.",
        {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,200}$"},
        f"security-mail-{EXAMPLE_ID}-1",
    ),
    "path": ("The path of the file; its slashes may stay as they are.", _PATH, "src/main.py"),
    "project_id": ("The id of the project.", _ID, EXAMPLE_ID),
    "review_id": ("The id of the review.", _ID, EXAMPLE_ID),
    "session_id": ("The id of the session.", _ID, EXAMPLE_ID),
    "sha": (
        "The whole hash of the commit.",
        {"type": "string", "pattern": "^[0-9a-f]{4,64}$"},
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    ),
    "token_id": ("The id of the API token.", _ID, EXAMPLE_ID),
}
"""Of each name in a path: what it is, its schema, an example."""

_COLLABORATOR = "The id of the account, or its handle after an @, such as `@ada`."
_MOMENT = (
    "Answer as it was at this moment: an RFC 3339 time such as `2026-01-31T12:00:00Z`, a position that an "
    "answer gave, or `authored:` and a date or time for the commits that were made by then."
)
_LISTED = "separated by commas."

_IN_QUERY: Mapping[str, str] = {
    "actor": f"Only events of these accounts or services: their ids, {_LISTED}",
    "after": "Begin after this position.",
    "asOf": _MOMENT,
    "collaborator": "Only projects in which the account with this id has a role.",
    "cursor": "Where the page begins: the `nextCursor` of the page before it.",
    "first": "The number of the first commit to list.",
    "from": "Only events that were not recorded before this RFC 3339 time.",
    "keepCurrent": "Whether the session of this request is kept.",
    "limit": "How many items a page has at most.",
    "name": "The whole handle of an account.",
    "order": "`asc` for the oldest event first, which is the default, or `desc` for the newest first.",
    "owner": "Only projects that the account with this id owns.",
    "path": "Only what is about the file with this path.",
    "queue": "Only the jobs of this queue.",
    "status": "Only the jobs in this state; those that failed are the dead letters.",
    "projects": f"Only events of these projects: their ids, {_LISTED}",
    "search": "Only those that contain this text, in any letter case.",
    "sort": "The order; a hyphen reverses it.",
    "stream": f"Only events of these streams, such as `project-<id>`, {_LISTED}",
    "type": f"Only events of these types, such as `project.created,file.written`, {_LISTED}",
    "unread": "True for those that were not marked as read, false for those that were.",
    "until": "Only events that were not recorded after this RFC 3339 time.",
}

_OF_OPERATION: Mapping[str, str] = {
    "get_business_figures.from": "The first day, in UTC, by default 29 days before the last one.",
    "get_business_figures.until": "The last day, in UTC, by default today; at most 366 days are shown.",
    "list_all_accounts.search": "Only accounts whose name or address begins with this text (administrators).",
    "list_files.path": "Only files whose path begins with this text.",
    "list_commits.path": "Only commits that changed the file with this path.",
    "list_history.path": "Only events of the file with this path.",
    "get_timeline.limit": "How many commits are listed at most.",
}

_EXAMPLES: Mapping[str, str] = {"list_all_accounts.name": "ada"}
"""Parameters of a query that most people need, with an example."""

_FACTS: Mapping[str, Mapping[str, Any]] = {
    "from": DATE_TIME,
    "until": DATE_TIME,
    "order": one_of("asc", "desc"),
    "sort": one_of("createdAt", "-createdAt", "updatedAt", "-updatedAt", "name", "-name"),
}

_FACTS_OF_OPERATION: Mapping[str, Mapping[str, Any]] = {
    "get_business_figures.from": DATE,
    "get_business_figures.until": DATE,
}

_ALWAYS: Mapping[str, tuple[str, str]] = {
    "Idempotency-Key": (
        "^[!-~]{1,255}$",
        "Makes the request repeatable: a retry with the same key gets the outcome of the first request.",
    ),
    "If-Match": (
        r'^(\*|"[0-9]{1,9}(-[0-9a-f]{16})?")$',
        "Refuse the request unless this is the current version: the `ETag` of an answer, or `*` for any.",
    ),
    "CodePark-After": (
        "^[A-Za-z0-9_-]{8,1200}$",
        "Answer from a state that includes this position: the `CodePark-Position` of an answer.",
    ),
    "If-None-Match": (
        r'^"[0-9a-f-]{1,40}"$',
        "Answer 304 if this is still the current state: the `ETag` of an answer.",
    ),
}


def parameters(operation: Operation) -> list[Schema]:
    """Return the parameters of *operation*, each with what it means."""
    return [*_path_parameters(operation), *_query_parameters(operation), *_headers(operation)]


def _path_parameters(operation: Operation) -> list[Schema]:
    described = []
    for name in PARAMETER.findall(operation.path):
        text, schema, example = _IN_PATH[name]
        if name == "account_id" and "/collaborators/" in operation.path:
            text, schema = _COLLABORATOR, _ACCOUNT
        described.append(
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": text,
                "schema": schema,
                "example": example,
            }
        )
    return described


def _query_parameters(operation: Operation) -> list[Schema]:
    described = []
    if operation.query is not None:
        _, components = msgspec.json.schema_components([operation.query], ref_template=REF)
        for name, schema in components[operation.query.__name__]["properties"].items():
            if name != FIELDS:
                described.append(_in_query(operation, name, _plain(name, schema)))
    if operation.picks_fields:
        described.append(_fields(operation))
    return described


def _in_query(operation: Operation, name: str, schema: Schema) -> Schema:
    text = _OF_OPERATION.get(f"{operation.handler.__name__}.{name}") or _IN_QUERY.get(name, "")
    schema = {**schema, **_FACTS_OF_OPERATION.get(f"{operation.handler.__name__}.{name}", {})}
    described = {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
    example = _EXAMPLES.get(f"{operation.handler.__name__}.{name}")
    return described if example is None else {**described, "example": example}


def _fields(operation: Operation) -> Schema:
    """Return the parameter that leaves fields out; the type of the answer stays the same."""
    names = struct_fields(item_of(operation.output))
    one = f"({'|'.join(names)})"
    schema = {"type": "string", "pattern": f"^{one}(,{one})*$", "maxLength": 1_000}
    text = f"Answer with these fields alone: their names, {_LISTED}"
    return {**_in_query(operation, FIELDS, schema), "description": text}


def _plain(name: str, schema: Schema) -> Schema:
    """Return the schema of a query parameter: a query has no null, and a choice needs no pattern."""
    schema = {key: value for key, value in schema.items() if key != "default" or value not in (None, "")}
    options = [option for option in schema.pop("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        schema |= options[0]
    elif options:
        schema["anyOf"] = options
    facts = _FACTS.get(name, {})
    if "enum" in facts:
        schema.pop("pattern", None)
    return {**schema, **facts}


def _headers(operation: Operation) -> list[Schema]:
    if operation.command:
        names = ["Idempotency-Key", *([] if operation.status == HTTPStatus.CREATED else ["If-Match"])]
    else:
        names = ["CodePark-After"] if operation.method == "GET" and operation.path.startswith("/api/") else []
        names += ["If-None-Match"] if operation.conditional else []
    return [_header(name) for name in names]


def _header(name: str) -> Schema:
    pattern, text = _ALWAYS[name]
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "header", "required": False, "description": text, "schema": schema}

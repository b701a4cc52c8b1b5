"""What stands at the start of the document: how to begin, the groups of operations, and the live channels."""

import inspect

from domain.actor import Role
from domain.policy import POLICY, ProjectRole
from read_api.gateway.operation import Operation

DESCRIPTION = """\
Projects, their files, commits, reviews and builds, and the history of events that all of them are made from.

**Begin here.**

1. `POST /api/v1/auth/register` with an e-mail address, a handle and a password opens an account.
2. `POST /api/v1/auth/login` with the address and the password answers with an `accessToken`. Send it in the
   header `Authorization: Bearer …`. It is valid for 15 minutes; `POST /api/v1/auth/refresh` exchanges the
   `refreshToken` for new ones. Programs use an API token, from `POST /api/v1/me/tokens`.
3. `POST /api/v1/projects` creates a project; `PUT /api/v1/projects/{project_id}/files/{path}` writes a file
   into it.
4. `GET /api/v1/projects/{project_id}/history` lists the events that this caused.

JSON is camelCase. Times are RFC 3339 in UTC. Every refusal is a problem document (RFC 9457) that says what to
change. Send an `Idempotency-Key` with a command to make it safe to retry, and the `CodePark-Position` of an
answer as `CodePark-After` to read what you wrote. `?fields=` leaves fields out of an answer; its type does
not say so.

**Live events** come over two channels that this document cannot describe: server-sent events from
`/api/v1/events/stream`, and a WebSocket at `/ws/events`. [`/asyncapi.json`](/asyncapi.json) describes both.
[`/graphql`](/graphql) answers GraphQL.
"""

LIVE = [
    {
        "path": "/api/v1/events/stream",
        "protocol": "server-sent events",
        "description": "The events that you may see, as they happen; `Last-Event-ID` resumes.",
        "asyncapi": "/asyncapi.json#/channels/live-stream",
    },
    {
        "path": "/ws/events",
        "protocol": "WebSocket",
        "description": "The same events, one message each.",
        "asyncapi": "/asyncapi.json#/channels/live-socket",
    },
    {
        "path": "/graphql",
        "protocol": "graphql-transport-ws",
        "description": "Subscriptions of GraphQL over a WebSocket.",
    },
]
"""The live channels, for the extension `x-live-channels`."""

_TAGS = {
    "Signing in": "Open an account, sign in and out, one-time passwords, mails with tokens.",
    "Your account": "Your own account, its sessions, its API tokens and its password.",
    "Accounts": "Other people's accounts, and what administrators change about them.",
    "Projects": "Projects and the people who work on them.",
    "Files": "The files of a project.",
    "Commits": "The commits of a project.",
    "Reviews": "Reviews of changes, with comments and decisions.",
    "Builds": "The builds of a project and their status.",
    "Insights": "What the server measures about the files of a project.",
    "History": "The events that every state is made from.",
    "Notifications": "What concerns you, and announcements to everybody.",
    "Commands": "Several commands in one request, and the outcome of one.",
    "Jobs": "What runs in the background, for administrators.",
    "Feedback": "What you write to those who run the platform.",
    "System": "Whether the server runs and is ready.",
}


def tags(operations: list[Operation]) -> list[dict[str, str]]:
    """Return the groups of the operations, each with what it is about."""
    names = dict.fromkeys(operation.tag for operation in operations)
    return [{"name": name, "description": _TAGS.get(name, "")} for name in names]


def description(operation: Operation) -> str:
    """Return what the operation does, and who may do it."""
    text = inspect.cleandoc(operation.handler.__doc__ or "")
    return f"{text}\n\n{_who(operation)}"


def _who(operation: Operation) -> str:
    rule = POLICY[operation.command_type or operation.action]
    rules = (POLICY[operation.action], rule)  # the request must pass the one, the command the other
    scopes = " and ".join(f"`{scope}`" for scope in sorted({each.scope for each in rules}))
    token = f"n API token needs the scope{'s' * (' and ' in scopes)} {scopes}."
    needing = [each.roles for each in rules if each.roles is not None]
    if not needing:
        return f"It needs no token; a{token}"
    roles = frozenset.intersection(*needing)
    needed = " or ".join(f"`{role}`" for role in sorted(roles))
    every = len(roles) == len(Role)
    who = "It needs a token" if every else f"It needs a token of an account with the role {needed}"
    where = ""
    if rule.project is not None and "project_id" in operation.path:
        role = ProjectRole(rule.project)
        higher = "" if role is max(ProjectRole) else " or a higher one"
        where = f", and in the project the role `{role.name.lower()}`{higher}"
    return f"{who}{where}. A{token}"

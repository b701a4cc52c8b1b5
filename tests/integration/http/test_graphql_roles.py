"""Every root field obeys the policy, and a subscription ends with its session."""

from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_leaf_type,
)

from commands.table.registry import CLIENT_COMMANDS
from domain.actor import Role
from domain.policy import POLICY
from read_api.graphql.federation import schema
from read_api.graphql.mutations import field_name
from read_api.graphql.queries import query
from tests.support.graphql import open_socket, send
from tests.support.people import PASSWORD, Person, made, position_now
from tests.support.server import Server

NOWHERE = "01900000-0000-7000-8000-000000000000"
SPECIAL = {"encoding": "UTF8", "email": '"a@b.c"', "authoredAt": '"2024-05-01T10:00:00Z"'}
FIELDS = [
    *(("query", name, action) for name, action in query.actions.items()),
    *(("mutation", field_name(name), name) for name in CLIENT_COMMANDS),
]


def literal(name: str, type_: Any) -> str:
    """Return a value that fits *type_*, with what is required alone."""
    if isinstance(type_, GraphQLNonNull):
        return literal(name, type_.of_type)
    if isinstance(type_, GraphQLList):
        return "[]"
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        inner = [
            f"{n}: {literal(n, f.type)}"
            for n, f in type_.fields.items()
            if isinstance(f.type, GraphQLNonNull)
        ]
        return "{" + ", ".join(inner) + "}"
    return SPECIAL.get(name) or (
        '"x"' if name in ("path", "name", "title", "text", "message") else f'"{NOWHERE}"'
    )


def operation(kind: str, name: str) -> str:
    root = schema().query_type if kind == "query" else schema().mutation_type
    assert root is not None
    field = root.fields[name]
    arguments = [
        f"{n}: {literal(n, a.type)}" for n, a in field.args.items() if isinstance(a.type, GraphQLNonNull)
    ]
    if name == "accounts":  # without a name, the list is for administrators alone
        arguments.append('name: "nobody"')
    below = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{kind} {{ {name}{'(' + ', '.join(arguments) + ')' if arguments else ''}{below} }}"


@pytest.fixture(scope="module")
def by_role(server: Server):
    clients: dict[Role | None, httpx.Client] = {None: server.client()}
    for role in Role:
        clients[role] = server.client(server.token("--role", role))
    yield clients
    for client in clients.values():
        client.close()


@pytest.mark.parametrize(("kind", "name", "action"), FIELDS, ids=str)
def test_every_root_field_keeps_to_the_policy(by_role: Any, kind: str, name: str, action: str) -> None:
    allowed = POLICY[action].roles
    for role, client in by_role.items():
        answer = send(client, operation(kind, name)).json()
        code = answer["errors"][0]["extensions"]["code"] if "errors" in answer else None
        assert code not in ("invalid_query", "internal_error"), answer
        if allowed is None or role in allowed:
            assert code not in ("role_required", "authentication_required"), (role, answer)
        else:
            assert code == ("authentication_required" if role is None else "role_required"), (role, answer)


def test_an_analyst_follows_the_history_without_personal_data(
    server: Server, ada: Person, by_role: Any
) -> None:
    secret = "a name that nobody else may read"
    with open_socket(server) as socket:
        socket.init(authorization=server.token("--role", "analyst"))
        after = position_now(ada)
        socket.subscribe(
            "a",
            (
                'subscription ($a: String) { events(after: $a, types: ["project.created"])'
                " { type projectId actor data project { name } } }"
            ),
            a=after,
        )
        project = made(ada.client.post("/api/v1/projects", json={"name": secret}))["id"]
        event = socket.next("a")["events"]
        assert event["type"] == "project.created"
        assert event["projectId"] != project, "a pseudonym"
        assert event["project"] is None
        assert secret not in str(event)
        assert ada.id not in str(event)


def test_a_subscription_ends_with_the_session_that_began_it(server: Server, ada: Person) -> None:
    with server.client() as visitor:
        tokens = made(
            visitor.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD}), 200
        )
        project = made(ada.client.post("/api/v1/projects", json={"name": "watched"}))["id"]
        with open_socket(server) as socket:
            socket.init(authorization=tokens["accessToken"])
            socket.subscribe("a", "subscription ($p: ID!) { project(id: $p) { version } }", p=project)
            assert socket.next("a") == {"project": {"version": 1}}
            out = visitor.post("/api/v1/auth/logout", json={"refreshToken": tokens["refreshToken"]})
            assert out.is_success, out.text
            made(ada.client.patch(f"/api/v1/projects/{project}", json={"name": "x"}), 200)
            message = socket.receive()
            assert (message["type"], message["payload"][0]["extensions"]["status"]) == ("error", 401)
            socket.subscribe("b", "{ me { name } }")
            assert socket.receive()["payload"][0]["extensions"]["status"] == 401

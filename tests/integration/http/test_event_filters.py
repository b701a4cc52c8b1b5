"""The same filter on REST pages, server-sent events, WebSockets, GraphQL and the command line."""

import json
from itertools import islice
from typing import Any

import httpx
import pytest

from tests.support.graphql import open_socket as open_graphql
from tests.support.live import Live, sse, websocket
from tests.support.people import Person, made, refused
from tests.support.server import Server

PROJECTS, EVENTS = "/api/v1/projects", "/api/v1/events"
both = pytest.mark.parametrize("live", [sse, websocket])


@pytest.fixture
def work(ada: Person, bob: Person) -> dict[str, Any]:
    """Two projects with events of two people, and all of these events."""
    first, second = (
        made(ada.client.post(PROJECTS, json={"name": name, "visibility": "public"}))["id"] for name in "ab"
    )
    after = ada.client.get(f"{PROJECTS}/{first}/history").json()["items"][0]
    made(ada.client.put(f"{PROJECTS}/{first}/collaborators/{bob.id}", json={"role": "editor"}), 200)
    for number in range(4):
        person, id_ = (ada, bob)[number % 2], (first, second)[number // 3]
        person = ada if id_ == second else person
        made(person.client.put(f"{PROJECTS}/{id_}/files/f{number}", json={"content": "x"}))
    made(ada.client.patch(f"{PROJECTS}/{second}", json={"name": "c"}), 200)
    query = {"projects": f"{first},{second}", "limit": 100}
    every = made(ada.client.get(EVENTS, params=query), 200)["items"]
    assert len(every) == 8
    return {"ids": (first, second), "every": every, "after": after["position"]}


def filters(work: dict[str, Any], ada: Person, bob: Person) -> list[dict[str, str]]:
    first, second = work["ids"]
    times = [event["occurredAt"] for event in work["every"]]
    return [
        {},
        {"type": "file.written"},
        {"type": "project.created,project.updated"},
        {"actor": bob.id},
        {"actor": f"{ada.id},{bob.id}", "type": "file.written"},
        {"stream": f"project-{first},project-{second}"},
        {"from": times[2], "until": times[5]},
        {"projects": second},
    ]


def expected(work: dict[str, Any], wanted: dict[str, str]) -> list[str]:
    """Return the ids of the events that pass, by the words of the reference."""
    names = {"type": "type", "actor": "actor", "stream": "stream", "projects": "projectId"}
    return [
        event["id"]
        for event in work["every"]
        if all(event[names[name]] in value.split(",") for name, value in wanted.items() if name in names)
        and wanted.get("from", "") <= event["occurredAt"] <= wanted.get("until", "Z")
    ]


def scoped(work: dict[str, Any], wanted: dict[str, str]) -> dict[str, str]:
    return {"projects": ",".join(work["ids"]), **wanted}


def pages(client: httpx.Client, path: str, query: dict[str, Any], place: str = "cursor") -> list[str]:
    """Return the ids of the events of all pages."""
    seen, cursor = [], None
    while True:
        page = made(client.get(path, params={**query, **({place: cursor} if cursor else {})}), 200)
        seen += [event["id"] for event in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            return seen


def test_pages_have_what_passes_in_both_orders(
    work: dict[str, Any], ada: Person, bob: Person, admin: httpx.Client
) -> None:
    for wanted in filters(work, ada, bob):
        query = {**scoped(work, wanted), "limit": 3}
        for client in (ada.client, admin):
            assert pages(client, EVENTS, query) == expected(work, wanted), wanted
            newest_first = pages(client, EVENTS, {**query, "order": "desc"}, "after")
            assert newest_first == expected(work, wanted)[::-1], wanted


def test_the_history_of_a_project_takes_the_same_filter(
    work: dict[str, Any], ada: Person, bob: Person
) -> None:
    first = work["ids"][0]
    path = f"{PROJECTS}/{first}/history"
    for wanted in filters(work, ada, bob)[:-1]:
        of_project = expected(work, {**wanted, "projects": first})
        assert pages(ada.client, path, {**wanted, "limit": 2}) == of_project
        assert pages(ada.client, path, {**wanted, "limit": 2, "order": "desc"}) == of_project[::-1]
    refused(ada.client.get(path, params={"projects": work["ids"][1]}), 400, "invalid_input")


def test_a_cursor_of_the_newest_first_is_not_taken_elsewhere(work: dict[str, Any], ada: Person) -> None:
    query = {"projects": ",".join(work["ids"]), "limit": 2, "order": "desc"}
    cursor = ada.client.get(EVENTS, params=query).json()["nextCursor"]
    other = {**query, "type": "file.written", "cursor": cursor}
    refused(ada.client.get(EVENTS, params=other), 400, "invalid_cursor")
    refused(ada.client.get(EVENTS, params={"after": cursor}), 400, "invalid_position")
    third = work["every"][2]
    older = ada.client.get(EVENTS, params={**query, "after": third["position"], "limit": 9}).json()["items"]
    assert [event["id"] for event in older] == [work["every"][1]["id"], work["every"][0]["id"]]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_cursor_continues_where_the_position_began(work: dict[str, Any], ada: Person, order: str) -> None:
    """A client adds the cursor to the query that it had."""
    place = work["every"][2 if order == "asc" else 5]
    query = {"projects": ",".join(work["ids"]), "limit": 2, "order": order, "after": place["position"]}
    ids = [event["id"] for event in work["every"]]
    assert pages(ada.client, EVENTS, query) == (ids[3:] if order == "asc" else ids[4::-1])


@both
def test_live_channels_send_what_passes(
    server: Server, work: dict[str, Any], ada: Person, bob: Person, live: Live
) -> None:
    for wanted in filters(work, ada, bob):
        ids = expected(work, wanted)
        start = {} if "from" in wanted else {"from": work["every"][0]["occurredAt"]}
        with live(server, ada.token, **scoped(work, wanted), **start) as events:
            seen = [event["id"] for event in islice(events, len(ids))]
        if server.partitions == 1:
            assert seen == ids, wanted
        assert sorted(seen) == sorted(ids), wanted


def test_graphql_takes_the_same_filter(
    server: Server, work: dict[str, Any], ada: Person, bob: Person
) -> None:
    variables = (
        "$projects: [String!], $type: String, $stream: String, $actor: String, $from: String, $until: String"
    )
    arguments = "projects: $projects, type: $type, stream: $stream, actor: $actor, from: $from, until: $until"
    query = (
        f"query({variables}, $order: String) "
        f"{{ events(first: 50, {arguments}, order: $order) {{ nodes {{ id }} edges {{ cursor }} }} }}"
    )
    for wanted in filters(work, ada, bob):
        values = {**wanted, "projects": wanted.get("projects", ",".join(work["ids"])).split(",")}
        for order in ("asc", "desc"):
            body = {"query": query, "variables": {**values, "order": order}}
            answer = ada.client.post("/graphql", json=body).json()
            ids = [node["id"] for node in answer["data"]["events"]["nodes"]]
            assert ids == expected(work, wanted)[:: 1 if order == "asc" else -1], wanted
    wanted = {"type": "file.written", "actor": bob.id}
    with open_graphql(server) as socket:
        socket.init(authorization=ada.token)
        subscription = f"subscription({variables}) {{ events({arguments}) {{ id }} }}"
        start = work["every"][0]["occurredAt"]
        socket.subscribe("a", subscription, projects=list(work["ids"]), **wanted, **{"from": start})
        for id_ in expected(work, wanted):
            assert socket.next("a")["events"]["id"] == id_


def test_the_command_line_takes_the_same_filter(
    server: Server, work: dict[str, Any], ada: Person, bob: Person
) -> None:
    def ids(*arguments: str) -> list[str]:
        return [json.loads(line)["id"] for line in server.command("events", *arguments).splitlines()]

    for wanted in filters(work, ada, bob)[4:5]:
        options = [part for name, value in scoped(work, wanted).items() for part in (f"--{name}", value)]
        assert ids("export", *options) == expected(work, wanted)
        assert ids("export", *options, "--order", "desc") == expected(work, wanted)[::-1]
        assert ids("tail", "--count", "2", *options) == expected(work, wanted)[-2:]


def test_updated_at_moves_with_files_and_commits_now_and_in_the_past(ada: Person, path: str) -> None:
    def seen(**query: str) -> tuple[int, str]:
        project = made(ada.client.get(path, params=query), 200)
        return project["version"], project["updatedAt"]

    version, created = seen()
    written = ada.client.put(f"{path}/files/a", json={"content": "1"})
    position, (_, file_time) = written.headers["codepark-position"], seen()
    assert file_time == written.json()["updatedAt"] >= created
    commit = {"message": "m", "author": {"name": "A"}, "authoredAt": "2020-01-01T00:00:00Z"}
    made(ada.client.post(f"{path}/commits", json=commit))
    assert seen()[0] == version
    assert seen()[1] == ada.client.get(f"{path}/history").json()["items"][-1]["occurredAt"]
    assert seen(asOf=position) == (version, file_time)
    unchanged = made(ada.client.patch(path, json={}), 200)
    assert (unchanged["version"], unchanged["updatedAt"]) == seen()


def test_a_search_finds_words_inside_of_japanese(ada: Person) -> None:
    id_ = made(ada.client.post(PROJECTS, json={"name": "日本語プロジェクト"}))["id"]
    for text in ("プロジェクト", "日本", "語", "ﾌﾟﾛｼﾞｪｸﾄ"):
        found = ada.client.get(PROJECTS, params={"search": text}).json()["items"]
        assert id_ in [project["id"] for project in found], text
    assert ada.client.get(PROJECTS, params={"search": "プロジェクト管理"}).json()["items"] == []

"""What a browser sees under an address, and where the documents about events are."""

import asyncio
import json

import jsonschema_rs
import pytest

from read_api.gateway.settings import GatewaySettings
from streams.public.publications import PUBLISHED
from streams.public.schemas import schema
from tests.support.application import whole_application

pytestmark = pytest.mark.integration

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAMS = ({}, {"Accept": "application/json"}, {"Accept": "*/*"})


def in_application(tmp_path, check, **changes):
    async def run():
        async with whole_application(tmp_path, **changes) as app:
            return await check(app.client)

    return asyncio.run(run())


def test_a_browser_sees_a_page_with_links_under_a_wrong_address(tmp_path):
    async def answers(client, path):
        shown = await client.get(path, headers=BROWSER)
        head = await client.head(path, headers=BROWSER)
        problems = [await client.get(path, headers=headers) for headers in PROGRAMS]
        return shown, head, [*problems, await client.post(path, headers=BROWSER)]

    async def check(client):
        paths = ("/nowhere", "/projects", "/projects/x/y", "/api/v1/nothing", "/index.html")
        return [await answers(client, path) for path in paths]

    for shown, head, problems in in_application(tmp_path, check):
        assert (shown.status_code, shown.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert 'href="/docs"' in shown.text
        assert 'href="/"' in shown.text
        assert "script-src 'self'" in shown.headers["content-security-policy"]
        assert "Accept" in shown.headers["vary"].split(", ")
        assert (head.status_code, head.content) == (404, b"")
        for problem in problems:
            assert problem.status_code == 404
            assert problem.headers["content-type"] == "application/problem+json"


def test_a_project_has_a_page_under_the_address_that_people_write(tmp_path):
    async def check(client):
        project = (await client.post("/api/v1/projects", json={"name": "Engine"})).json()["id"]
        shown = await client.get(f"/projects/{project}", headers=BROWSER)
        problems = [await client.get(f"/projects/{project}", headers=headers) for headers in PROGRAMS]
        script = await client.get("/assets/app.js")
        return project, shown, problems, script.text

    project, shown, problems, script = in_application(tmp_path, check)
    assert (shown.status_code, shown.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "/assets/app.js" in shown.text
    assert "location.pathname" in script
    for problem in problems:
        assert problem.status_code == 404
        assert f"/api/v1/projects/{project}" in problem.json()["detail"]


def test_the_page_of_the_api_says_how_to_begin(tmp_path):
    async def check(client):
        page = await client.get("/docs")
        assets = [await client.get(f"/assets/{name}.js") for name in ("docs", "begin", "examples")]
        return page.text, assets

    page, assets = in_application(tmp_path, check)
    for path in ("/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/projects"):
        assert f"POST {path}" in page
    assert [asset.status_code for asset in assets] == [200, 200, 200]
    assert "tryItOutEnabled: true" in assets[0].text
    for text in (page, *(asset.text for asset in assets)):
        assert "https://" not in text


def test_the_events_document_names_the_host_of_the_request(tmp_path):
    hosts = ("park.example:8080", "127.0.0.1:1234", "[::1]:3000")

    async def check(client):
        answers = [await client.get("/asyncapi.json", headers={"Host": host}) for host in hosts]
        return answers, await client.get("/asyncapi.json", headers={"Host": 'x"<script>'})

    adapt = {"gateway": GatewaySettings(allowed_hosts=None)}
    answers, odd = in_application(tmp_path, check, **adapt)
    for host, answer in zip(hosts, answers, strict=True):
        servers = answer.json()["servers"]
        assert {server["host"] for server in servers.values()} == {host}
        assert {server["protocol"] for server in servers.values()} == {"ws", "http"}
        assert "Host" in answer.headers["vary"]
    assert "script" not in odd.text


def test_every_public_schema_has_its_own_address(tmp_path):
    async def check(client):
        listed = (await client.get("/schema/events")).json()["items"]
        document = (await client.get("/asyncapi.json")).json()
        return {path: await client.get(path) for path in listed}, document

    shown, document = in_application(tmp_path, check)
    assert set(shown) == {f"/schema/events/{each.type}/{each.version}" for each in PUBLISHED}
    for each in PUBLISHED:
        answer = shown[f"/schema/events/{each.type}/{each.version}"]
        assert answer.headers["content-type"].startswith("application/schema+json")
        assert answer.json() == json.loads(json.dumps(schema(each)))
        jsonschema_rs.validator_for(answer.json())
        assert each.type in document["components"]["schemas"]

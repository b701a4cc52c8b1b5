"""A retired operation announces its end; a made-up one, because none is retired now."""

import asyncio
from datetime import UTC, datetime

import pytest

from read_api import app
from read_api.gateway.answers import Answer
from read_api.gateway.operation import Operations
from read_api.problems import HttpError
from tests.support.application import application

pytestmark = pytest.mark.integration

operation = Operations("Made up")
FIELDS = {
    "deprecated": datetime(2026, 1, 1, tzinfo=UTC),
    "sunset": datetime(2027, 1, 1, tzinfo=UTC),
    "successor": "/api/v1/new",
}


@operation("GET", "/api/v1/old", "system.read", **FIELDS)
async def old(call):
    """Show something the old way."""
    return Answer(body=b"{}", headers={"Link": '</api/v1/old?cursor=x>; rel="next"'})


@operation("GET", "/api/v1/older", "system.read", **FIELDS)
async def older(call):
    """Refuse the old way."""
    raise HttpError(404, "not_found", "there is nothing")


def test_a_retired_operation_says_so_in_its_answers_and_in_the_document(tmp_path, monkeypatch):
    declared = app.operations()
    monkeypatch.setattr(app, "operations", lambda: [*declared, *operation.all])

    async def run():
        async with application(tmp_path) as (_, client):
            shown, refused = [await client.get(path) for path in ("/api/v1/old", "/api/v1/older")]
            document = (await client.get("/schema/openapi.json")).json()
            other = await client.get("/api/v1/projects")
        assert (shown.status_code, refused.status_code) == (200, 404)
        for answer in (shown, refused):
            assert answer.headers["Deprecation"] == "@1767225600"
            assert answer.headers["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
            assert '</api/v1/new>; rel="successor-version"' in answer.headers["Link"]
        assert 'rel="next"' in shown.headers["Link"]
        described = document["paths"]["/api/v1/old"]["get"]
        assert described["deprecated"] is True
        assert {"Deprecation", "Sunset"} <= described["responses"]["200"]["headers"].keys()
        assert "deprecated" not in document["paths"]["/api/v1/projects"]["get"]
        assert "Deprecation" not in other.headers

    asyncio.run(run())

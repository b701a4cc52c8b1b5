"""A job is in the trace of the request whose event asked for it."""

from pathlib import Path

import pytest

from tests.support.collector import Collector, tree
from tests.support.people import Person, made
from tests.support.server import serving

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

TOKENS = "/api/v1/me/tokens"


def test_the_mail_about_a_request_is_in_its_trace(tmp_path: Path) -> None:
    with (
        Collector(tmp_path / "spans.jsonl") as collector,
        serving(tmp_path / "data", {**collector.variables, "CODEPARK_JOBS": "on"}) as server,
    ):
        ada = Person(server, "Ada")
        with ada.client as client:
            made(client.post(TOKENS, json={"name": "nightly", "scopes": ["read"]}))
        spans = collector.await_spans(lambda spans: any(each["name"].startswith("job ") for each in spans))
        job = next(each for each in spans if each["name"] == "job security-mail")
        traced = collector.await_spans(
            lambda spans: sum(each["name"] == "append" for each in spans) == 2, job["trace"]
        )
        lines = tree(traced)
        assert lines[0] == f"SERVER POST {TOKENS}"
        place = lines.index("    CONSUMER job security-mail")
        assert "      PRODUCER append" in lines[place + 1 :]
        assert job["attributes"]["codepark.job.queue"] == "critical"
        assert "nightly" not in str(spans)
        assert ada.email not in str(spans)

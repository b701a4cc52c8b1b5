"""A real history imported through the cluster gives what the embedded import gives, document by document."""

import re
from uuid import uuid4

import pytest

from domain.times import from_rfc3339
from insights.analyser import ProcessAnalyser
from projections.insights_model import insights_model
from projections.models import READ_MODELS
from projections.mongodb.connection import connect, database_name
from projections.mongodb.store import MongoDocumentStore
from projections.sqlite import SQLiteDocumentStore
from tests.e2e.test_import import codepark, history, last_line, needs_starlette
from tests.support.cluster_server import SECRET, ClusterServer
from tests.support.documents import dump
from tests.support.insights import finish_turns, nothing_waits
from tests.support.server import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(300)]

__all__ = ["history"]  # a fixture

TIME = re.compile(r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def normalised(value, first):
    """Return *value* with each event time after *first* replaced: two imports happen at two times."""
    if isinstance(value, dict):
        return {name: normalised(part, first) for name, part in value.items()}
    if isinstance(value, list):
        return [normalised(part, first) for part in value]
    if isinstance(value, str) and TIME.match(value) and from_rfc3339(value) >= first:
        return "now"
    return value


def renumbered(value, taken):
    """Return *value* as if the event with the sequence *taken* were not in the log."""

    def without(sequence):
        return sequence - (sequence > taken)

    if isinstance(value, dict):
        shifted = {
            name: without(part) for name, part in value.items() if name in ("sequence", "end") and part
        }
        if "privateSpans" in value:
            spans = value["privateSpans"]
            shifted["privateSpans"] = [
                [end if end is None else without(end) for end in span] for span in spans
            ]
        return {name: shifted.get(name, renumbered(part, taken)) for name, part in value.items()}
    if isinstance(value, list):
        return [renumbered(part, taken) for part in value]
    if isinstance(value, str):
        return re.sub(r"\b\d{20}\b", lambda match: f"{without(int(match[0])):020d}", value)
    return value


@needs_starlette
def test_the_cluster_imports_what_the_embedded_profile_imports(
    tmp_path, kafka, mongodb_uri, redis_url, history
):
    embedded = tmp_path / "embedded"
    expected_import = last_line(
        codepark(
            "import-git",
            history,
            "--project",
            "starlette",
            "--data",
            embedded,
            "--json",
            CODEPARK_SECRET_KEY=SECRET,  # the ids of authors are derived from it
        )
    )
    server = ClusterServer(
        tmp_path / "node",
        kafka=kafka,
        mongodb_uri=mongodb_uri,
        redis_url=redis_url,
        prefix=f"imp-{uuid4().hex[:12]}.",
        partitions=1,  # documents carry sequences, which are compared
    )
    server.start(followed=False)  # nothing but the import and its token may take a sequence
    try:
        token = server.token()
        imported = last_line(
            codepark(
                "import-git",
                history,
                "--project",
                "starlette",
                "--json",
                "--server",
                server.url,
                "--token",
                token,
            )
        )
        assert (imported["projectId"], imported["commits"], imported["files"]) == (
            expected_import["projectId"],
            expected_import["commits"],
            expected_import["files"],
        )
        with server.client(token) as client:
            uses = client.get("/api/v1/events", params={"type": "token.operator_used"}).json()["items"]
        assert len(uses) == 1
        compare(embedded, server, uses[0]["sequence"])
    finally:
        assert server.stop() == 0


def compare(embedded, server, taken):
    analyser = ProcessAnalyser()
    models = (*READ_MODELS, insights_model(analyser))
    expected = SQLiteDocumentStore(embedded / "read.sqlite")
    client = connect(server.cluster_settings["CODEPARK_MONGODB_URI"])
    actual = MongoDocumentStore(client, database_name("", server.cluster_settings["CODEPARK_TOPIC_PREFIX"]))
    try:
        expected.prepare(models)
        actual.prepare(models)
        target = {name: checkpoint.sequence for name, checkpoint in expected.checkpoints().items()}
        most = max(target.values())
        eventually(
            lambda: all(c.sequence >= min(most, target[n]) + 1 for n, c in actual.checkpoints().items()),
            seconds=240,
        )
        finish_turns(expected, models[-1])
        eventually(lambda: nothing_waits(actual), seconds=240)
        first = from_rfc3339("2026-01-01T00:00:00.000Z")
        for collection in sorted(c.name for model in models for c in model.collections):
            ours = [normalised(document, first) for document in dump(expected, collection)]
            stored = [renumbered(document, taken) for document in dump(actual, collection)]
            theirs = [normalised(document, first) for document in stored]
            assert len(theirs) == len(ours), collection
            different = next((pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]), None)
            assert different is None, collection  # one difference: showing all would take minutes
    finally:
        expected.close()
        actual.close()
        client.close()
        analyser.close()

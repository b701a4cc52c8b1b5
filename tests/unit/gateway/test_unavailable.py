"""What a 503 says: a sentence, and never a host, a port or a driver's words; the log has them."""

import pytest
from graphql import GraphQLError
from structlog.testing import capture_logs

from commands.bus import BusyError
from commands.log import LogUnavailableError
from commands.summed_log import SummedLog
from projections.progress import NotCaughtUpError
from projections.store import StoreUnavailableError
from read_api import problems
from read_api.gateway.routes import failed
from read_api.graphql.errors import error_document
from read_api.problems import as_http_error, problem_in_batch

TOPOLOGY = "mongo-1.internal:27017: [Errno 111] Connection refused, Topology Description: <…>"
ERRORS = [
    (LogUnavailableError(TOPOLOGY), "log_unavailable"),
    (StoreUnavailableError(TOPOLOGY), "projection_unavailable"),
]
SURFACES = {
    "REST": lambda error: failed(error, "/api/v1/projects", "r").body.decode(),
    "a batch": lambda error: str(problem_in_batch(error, "/commands/0")),
    "GraphQL": lambda error: str(error_document(GraphQLError("m", original_error=error), "r")),
    "live channels": lambda error: as_http_error(error).detail,
}


@pytest.fixture(autouse=True)
def new_period(monkeypatch):
    logs = {code: SummedLog("a request could not be served") for code in problems._unavailable_log}
    monkeypatch.setattr(problems, "_unavailable_log", logs)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(("error", "code"), ERRORS, ids=["log", "read models"])
def test_a_client_is_told_no_server_and_the_log_is(surface, error, code):
    with capture_logs() as lines:
        shown = SURFACES[surface](error)
    assert not any(word in shown for word in ("internal", "27017", "Errno", "Topology"))
    assert "try again" in shown
    assert [(line["code"], TOPOLOGY in line["reason"]) for line in lines] == [(code, True)]


def test_many_refused_requests_are_one_line():
    with capture_logs() as lines:
        for _ in range(1_000):
            as_http_error(StoreUnavailableError(TOPOLOGY))
    assert len(lines) == 1


@pytest.mark.parametrize(
    "error", [BusyError("8 commands are waiting"), NotCaughtUpError("files is 3 behind")]
)
def test_what_we_say_ourselves_is_shown(error):
    with capture_logs() as lines:
        assert as_http_error(error).detail == str(error)
    assert lines == []

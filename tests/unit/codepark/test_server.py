"""The server process, in this process: it serves until a signal arrives, and ends in order."""

import os
import signal

import httpx
import pytest

from codepark import server
from codepark.profiles.embedded import EmbeddedProfile
from codepark.server import serve
from codepark.settings import Settings
from tests.support.server import eventually, free_port
from tests.support.time_scale import stretched

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def interpreter(monkeypatch):
    """Leave this process's interpreter as it is."""
    monkeypatch.setattr(server, "prepare_interpreter", lambda: None)


@pytest.fixture
def settings(tmp_path):
    return Settings(data=tmp_path / "data", port=free_port(), redis_url="redis://127.0.0.1:1/")


def live(settings):
    """Wait until the server answers, and return the status of its health check."""
    return eventually(lambda: _status(settings))


def _status(settings):
    try:
        return httpx.get(f"{settings.url}/health/live", timeout=stretched(20)).status_code
    except httpx.TransportError:
        return None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(settings, number):
    """The call returns, the directory is released, and no server is announced any more."""
    seen = {}

    def started(profile):
        seen["status"] = live(settings)
        seen["announced"] = profile.directory.server().url
        os.kill(os.getpid(), number)

    serve(settings, started)
    assert seen == {"status": 200, "announced": settings.url}
    profile = EmbeddedProfile(settings)
    assert profile.directory.server() is None
    profile.close()


def test_a_signal_while_it_starts_ends_it_too(settings, monkeypatch):
    start = EmbeddedProfile.start

    def interrupted(profile):
        os.kill(os.getpid(), signal.SIGTERM)
        start(profile)

    monkeypatch.setattr(EmbeddedProfile, "start", interrupted)
    serve(settings)


def test_an_open_stream_ends_with_the_server(settings):
    ended = []

    def started(_profile):
        live(settings)
        with httpx.stream("GET", f"{settings.url}/api/v1/events/stream", timeout=stretched(20)) as stream:
            os.kill(os.getpid(), signal.SIGTERM)
            ended.append((stream.status_code, "".join(stream.iter_text())))  # a cut connection would raise

    serve(settings, started)
    ((status, text),) = ended
    assert status == 200
    assert "event: " in text


def test_a_failure_to_open_is_raised_and_nothing_is_left(settings, monkeypatch):
    def failing(_settings, _logs):
        raise OSError("no memory")

    monkeypatch.setattr(server, "CacheAndChannel", failing)
    with pytest.raises(OSError, match="no memory"):
        serve(settings)
    EmbeddedProfile(settings).close()

"""The server speaks TLS 1.3 with the certificate of its settings, and nothing else."""

import os
import ssl
import subprocess
import sys

import httpx
import pytest
from websockets.sync.client import connect

from devservers.certificates import make_certificates
from tests.support.live import SECONDS
from tests.support.server import Server
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration


class SecureServer(Server):
    """A server that is reached over TLS."""

    def __init__(self, data, certificates):
        more = {
            "CODEPARK_TLS_CERT_FILE": str(certificates.certificate),
            "CODEPARK_TLS_KEY_FILE": str(certificates.key),
        }
        super().__init__(data, more=more)
        self.url = f"https://127.0.0.1:{self.port}"
        self.context = ssl.create_default_context(cafile=str(certificates.authority))

    def answers(self):
        try:
            return httpx.get(f"{self.url}/health/ready", verify=self.context).is_success
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    running = SecureServer(folder / "data", make_certificates(folder / "certificates")).start()
    yield running
    assert running.stop() == 0


def test_it_answers_over_tls_and_tells_browsers_to_keep_using_it(server):
    with httpx.Client(base_url=server.url, verify=server.context) as client:
        answer = client.get("/api/v1/projects")
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains; preload"
        version = answer.extensions["network_stream"].get_extra_info("ssl_object").version()
        assert version == "TLSv1.3"


def test_an_older_tls_is_refused(server):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(httpx.ConnectError, match=r"(?i)protocol|alert"):
        httpx.get(f"{server.url}/health/live", verify=old)


def test_plain_http_is_not_answered(server):
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{server.port}/health/live")


def test_sockets_go_over_tls_too(server):
    url = f"wss://127.0.0.1:{server.port}/ws/events"
    with (
        connect(url, ssl=server.context, origin=server.url, open_timeout=stretched(SECONDS)) as socket,
        pytest.raises(TimeoutError),
    ):
        socket.recv(timeout=0.2)


def test_the_command_line_asks_it_without_the_settings(server):
    """It trusts the certificate that the data directory names."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CODEPARK_")}
    ended = subprocess.run(
        [sys.executable, "-m", "codepark.cli", "rebuild", "projects", "--json", "--data", str(server.data)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert '"model":"projects"' in ended.stdout

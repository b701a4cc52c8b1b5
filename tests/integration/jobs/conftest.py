"""Installations with jobs, in both profiles: mail goes into files."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from tests.support.cluster_server import ClusterServer
from tests.support.people import Person, made
from tests.support.program import CodeParkProgram
from tests.support.server import Server, eventually

AWAY = {"CODEPARK_JOBS": "on", "CODEPARK_AWAY_SECONDS": "1"}


class Installation:
    """A server that runs its jobs itself, or with a worker for them, and the mail that they sent."""

    def __init__(self, server: Server, mail: Path, worker: CodeParkProgram | None = None) -> None:
        self.server = server
        self.worker = worker
        self._mail = mail

    def mails(self, address: str) -> list[EmailMessage]:
        """The mails to an address, the oldest first."""
        files = sorted(self._mail.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        mails = [message_from_bytes(path.read_bytes(), policy=default) for path in files]
        return [mail for mail in mails if mail["To"] == address]

    def mail(self, address: str, subject: str) -> str:
        """Wait for the mail with a subject, and return its text."""

        def sent() -> str | None:
            texts = [mail.get_content() for mail in self.mails(address) if mail["Subject"] == subject]
            return texts[0] if texts else None

        return eventually(sent, seconds=40)


@pytest.fixture(scope="module", params=["embedded", "cluster"])
def installation(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    if request.param == "embedded":
        server = Server(folder / "data", more=AWAY).start()
        yield Installation(server, folder / "data" / "mail")
        assert server.stop() == 0
        return
    server = ClusterServer(
        folder / "data",
        kafka=request.getfixturevalue("kafka"),
        mongodb_uri=request.getfixturevalue("mongodb_uri"),
        redis_url=request.getfixturevalue("redis_url"),
        prefix=f"jobs-{folder.name}.",
    )
    server.environment |= AWAY
    data = folder / "worker"
    settings = {**server.environment, "CODEPARK_DATA": str(data)}
    worker = CodeParkProgram("jobs", ["worker", "jobs"], settings, folder / "worker.log")
    try:
        server.start()
        worker.launch()
        yield Installation(server, data / "mail", worker)
    finally:
        worker.terminate()
        codes = [server.stop(), worker.ended(20)]
    assert codes == [0, 0]


@pytest.fixture(scope="module")
def people(installation):
    """Ada, who owns a project, Bob, who reviews in it, and an administrator's client."""
    ada, bob = Person(installation.server, "Ada"), Person(installation.server, "Bob")
    project = made(ada.client.post("/api/v1/projects", json={"name": "Park"}))
    made(
        ada.client.put(f"/api/v1/projects/{project['id']}/collaborators/{bob.id}", json={"role": "editor"}),
        200,
    )
    with installation.server.client(installation.server.token()) as admin:
        yield ada, bob, project["id"], admin
    ada.client.close()
    bob.client.close()

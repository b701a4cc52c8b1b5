"""Mail to files, and to a server that speaks SMTP."""

import asyncio
import ssl
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller

from devservers.certificates import make_certificates
from read_api.auth import mail
from read_api.auth.mail import FileMailer, Mail, SmtpMailer, is_here
from tests.support.server import free_port

SENDER = "CodePark <no-reply@example.org>"
MAIL = Mail(to="ada@example.org", account_id="a1", subject="Grüße", text="A secret: öäü\n")


class Inbox:
    """Takes every message."""

    def __init__(self) -> None:
        self.taken = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 # the library's name
        self.taken.append(envelope)
        return "250 OK"


def check(raw: bytes) -> None:
    mail = message_from_bytes(raw, policy=default)
    assert (mail["To"], mail["From"], mail["Subject"]) == (MAIL.to, SENDER, MAIL.subject)
    assert mail.get_content().splitlines() == MAIL.text.splitlines()


def test_a_mail_becomes_a_file_that_its_owner_alone_reads(tmp_path) -> None:
    mailer = FileMailer(tmp_path / "mail", SENDER)
    asyncio.run(mailer.send(MAIL))
    asyncio.run(mailer.send(Mail(to="bob@example.org", account_id="b1", subject="x", text="y")))
    (file,) = [path for path in (tmp_path / "mail").iterdir() if b"ada@" in path.read_bytes()]
    assert file.stat().st_mode & 0o777 == 0o600
    check(file.read_bytes())
    mailer.forget("a1")
    mailer.forget("nobody")
    assert [b"bob@" in path.read_bytes() for path in (tmp_path / "mail").iterdir()] == [True]


@pytest.fixture
def handed():
    """Return what hands the mail to a server with these options, and gives what the server has taken."""

    def hand(**options) -> list:
        inbox = Inbox()
        controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        try:
            asyncio.run(SmtpMailer(f"smtp://127.0.0.1:{controller.port}", SENDER).send(MAIL))
        finally:
            controller.stop()
        return inbox.taken

    return hand


@pytest.fixture
def elsewhere(monkeypatch) -> None:
    """Take the server for one of another machine."""
    monkeypatch.setattr(mail, "is_here", lambda _: False)


def test_a_mail_is_handed_to_a_server(handed) -> None:
    (envelope,) = handed()
    assert envelope.rcpt_tos == [MAIL.to]
    check(envelope.content)


@pytest.mark.usefixtures("elsewhere")
def test_a_server_elsewhere_gets_mail_over_tls_alone(handed, tmp_path, monkeypatch, capsys) -> None:
    assert handed() == []
    assert "SMTPNotSupportedError" in capsys.readouterr().out
    certificates = make_certificates(tmp_path)
    offered = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    offered.load_cert_chain(certificates.certificate, certificates.key)
    assert handed(tls_context=offered) == [], "the authority is not known"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    (envelope,) = handed(tls_context=offered, require_starttls=True)
    check(envelope.content)


def test_what_is_on_this_machine() -> None:
    assert all(map(is_here, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_here, ("10.0.0.1", "mail.example.org", "localhost.example.org")))


def test_a_server_that_is_away_fails_nobody(capsys) -> None:
    asyncio.run(SmtpMailer(f"smtp://127.0.0.1:{free_port()}", SENDER).send(MAIL))
    assert "A secret" not in capsys.readouterr().out

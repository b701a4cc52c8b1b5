"""Mail to files, and to a server that speaks SMTP."""

import asyncio
import ssl
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller

from devservers.certificates import make_certificates
from read_api.auth import mail
from read_api.auth.mail import FileMailer, Mail, SmtpMailer, is_loopback
from tests.support.server import free_port

SENDER = "CodePark <no-reply@example.org>"
MAIL = Mail(to="ada@example.org", account_id="a1", subject="Grüße", text="A secret: öäü\n")


class Inbox:
    """Accepts every message."""

    def __init__(self) -> None:
        self.taken = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 # the library's name
        self.taken.append(envelope)
        return "250 OK"


def check(raw: bytes) -> None:
    email = message_from_bytes(raw, policy=default)
    assert (email["To"], email["From"], email["Subject"]) == (MAIL.to, SENDER, MAIL.subject)
    assert email.get_content().splitlines() == MAIL.text.splitlines()


def test_a_mail_becomes_a_file_that_only_its_owner_may_read(tmp_path) -> None:
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
def delivered():
    """Return a function that sends the mail to a server with these options, and returns what it accepted."""

    def deliver(**options) -> list:
        inbox = Inbox()
        controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        try:
            asyncio.run(SmtpMailer(f"smtp://127.0.0.1:{controller.port}", SENDER).send(MAIL))
        finally:
            controller.stop()
        return inbox.taken

    return deliver


@pytest.fixture
def elsewhere(monkeypatch) -> None:
    """Treat the server as one on another machine."""
    monkeypatch.setattr(mail, "is_loopback", lambda _: False)


def test_a_mail_is_sent_through_a_server(delivered) -> None:
    (envelope,) = delivered()
    assert envelope.rcpt_tos == [MAIL.to]
    check(envelope.content)


@pytest.mark.usefixtures("elsewhere")
def test_a_server_elsewhere_gets_mail_over_tls_only(delivered, tmp_path, monkeypatch, capsys) -> None:
    assert delivered() == []
    assert "SMTPNotSupportedError" in capsys.readouterr().out
    certificates = make_certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certificate, certificates.key)
    assert delivered(tls_context=context) == [], "the authority is unknown"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    (envelope,) = delivered(tls_context=context, require_starttls=True)
    check(envelope.content)


def test_which_hosts_are_on_this_machine() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, ("10.0.0.1", "mail.example.org", "localhost.example.org")))


def test_an_unavailable_server_raises_nothing_and_the_text_is_not_logged(capsys) -> None:
    asyncio.run(SmtpMailer(f"smtp://127.0.0.1:{free_port()}", SENDER).send(MAIL))
    assert "A secret" not in capsys.readouterr().out

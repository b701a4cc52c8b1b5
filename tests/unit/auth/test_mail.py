"""Mail to files, and to a server that speaks SMTP."""

import asyncio
from email import message_from_bytes
from email.policy import default

from aiosmtpd.controller import Controller

from read_api.auth.mail import FileMailer, Mail, SmtpMailer
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
    found = message_from_bytes(raw, policy=default)
    assert (found["To"], found["From"], found["Subject"]) == (MAIL.to, SENDER, MAIL.subject)
    assert found.get_content().splitlines() == MAIL.text.splitlines()


def test_a_mail_becomes_a_file_that_its_owner_alone_reads(tmp_path) -> None:
    mailer = FileMailer(tmp_path / "mail", SENDER)
    asyncio.run(mailer.send(MAIL))
    asyncio.run(mailer.send(Mail(to="bob@example.org", account_id="b1", subject="x", text="y")))
    (found,) = [path for path in (tmp_path / "mail").iterdir() if b"ada@" in path.read_bytes()]
    assert found.stat().st_mode & 0o777 == 0o600
    check(found.read_bytes())
    mailer.forget("a1")
    mailer.forget("nobody")
    assert [b"bob@" in path.read_bytes() for path in (tmp_path / "mail").iterdir()] == [True]


def test_a_mail_is_handed_to_a_server() -> None:
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{controller.port}", SENDER)
        asyncio.run(mailer.send(MAIL))
    finally:
        controller.stop()
    (envelope,) = inbox.taken
    assert envelope.rcpt_tos == [MAIL.to]
    check(envelope.content)


def test_a_server_that_is_away_fails_nobody(capsys) -> None:
    asyncio.run(SmtpMailer(f"smtp://127.0.0.1:{free_port()}", SENDER).send(MAIL))
    assert "A secret" not in capsys.readouterr().out

"""Mail: a port, an adapter that writes files, and one that speaks SMTP."""

import asyncio
import smtplib
import ssl
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import structlog
from msgspec import Struct
from uuid_utils import uuid7

_SMTP_SECONDS = 10.0
_SUBMISSION_PORT = 587

logger = structlog.get_logger(__name__)


class Mail(Struct, frozen=True, kw_only=True):
    """A message to one person about their account.

    Two with the same *key* are the same message, which a mail program shows once.
    """

    to: str
    account_id: str
    subject: str
    text: str
    key: str | None = None


class Mailer(Protocol):
    """Sends mail. Failures are logged without the text, which may hold a secret."""

    async def deliver(self, mail: Mail) -> None:
        """Send *mail*; raises OSError and SMTPException."""
        ...

    async def send(self, mail: Mail) -> None:
        """Send *mail* for a caller who does not wait; never raises."""
        ...

    def forget(self, account_id: str) -> None:
        """Delete stored mail about an erased account; any thread may call this. Raises OSError."""
        ...


class FileMailer:
    """Write each mail into a file of its own, which only the server's user may read."""

    def __init__(self, folder: Path, sender: str) -> None:
        """Write into *folder*, which is created where it is missing."""
        self._folder = folder
        self._sender = sender

    async def deliver(self, mail: Mail) -> None:
        """Write *mail* into a new file; raises OSError."""
        await asyncio.to_thread(self._write, mail)

    async def send(self, mail: Mail) -> None:
        """Write *mail* into a new file; a failure is logged."""
        try:
            await self.deliver(mail)
        except OSError as error:
            logger.error("a mail could not be written", reason=str(error))

    def forget(self, account_id: str) -> None:
        """Delete the files that hold mail about the account."""
        for path in self._folder.glob(f"*.{account_id}.eml"):
            path.unlink(missing_ok=True)

    def _write(self, mail: Mail) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{time.strftime('%Y%m%dT%H%M%S')}-{uuid7()}.{mail.account_id}.eml"
        path.touch(mode=0o600)
        path.write_bytes(bytes(message(mail, self._sender)))


class SmtpMailer:
    """Send mail through a server: `smtp://user:password@host:port` with STARTTLS, or `smtps://`.

    Mail carries secrets: without TLS, a server on another machine gets neither mail nor the password.
    """

    def __init__(self, url: str, sender: str) -> None:
        """Send through the server at *url*, from *sender*."""
        self._url = urlsplit(url)
        self._sender = sender

    async def deliver(self, mail: Mail) -> None:
        """Send *mail* from a thread; raises OSError and SMTPException."""
        await asyncio.to_thread(self._deliver, mail)

    async def send(self, mail: Mail) -> None:
        """Send *mail* from a thread; a failure is logged."""
        try:
            await self.deliver(mail)
        except (OSError, smtplib.SMTPException) as error:
            logger.error("a mail could not be sent", reason=type(error).__name__)

    def forget(self, account_id: str) -> None:
        """Do nothing: mail that was sent is not stored here."""

    def _deliver(self, mail: Mail) -> None:
        with self._connected() as server:
            if self._url.username:
                server.login(unquote(self._url.username), unquote(self._url.password or ""))
            server.send_message(message(mail, self._sender))

    def _connected(self) -> smtplib.SMTP:
        """Connect over TLS; without it only to a server on this machine that does not offer it.

        Raises SMTPException, OSError.
        """
        host, context = self._url.hostname or "localhost", ssl.create_default_context()
        if self._url.scheme == "smtps":
            port = self._url.port or smtplib.SMTP_SSL_PORT
            return smtplib.SMTP_SSL(host, port, timeout=_SMTP_SECONDS, context=context)
        server = smtplib.SMTP(host, self._url.port or _SUBMISSION_PORT, timeout=_SMTP_SECONDS)
        try:
            server.ehlo()
            if server.has_extn("starttls") or not is_loopback(host):
                server.starttls(context=context)  # raises where it is not offered
        except BaseException:
            server.close()
            raise
        return server


def is_loopback(host: str) -> bool:
    """Return whether *host* is a loopback address or `localhost`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def message(mail: Mail, sender: str) -> EmailMessage:
    """Return *mail* as a message of RFC 5322."""
    email = EmailMessage()
    email["From"] = sender
    email["To"] = mail.to
    email["Subject"] = mail.subject
    email["Date"] = formatdate()
    domain = sender.rpartition("@")[2].rstrip("> ") or "localhost"
    email["Message-ID"] = make_msgid(domain=domain) if mail.key is None else f"<{mail.key}@{domain}>"
    email.set_content(mail.text)
    return email

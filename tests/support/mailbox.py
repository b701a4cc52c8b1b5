"""The application in this process with a mailbox in place of a mail server: addresses are verified."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from msgspec.structs import replace

from codepark.composition import build_identity
from read_api.auth.mail import Mail
from tests.support.application import Application, whole_application
from tests.support.time_scale import stretched

PASSWORD = "correct horse battery"
OTHER_PASSWORD = "battery staple horse"
AUTH = "/api/v1/auth"
_TOKEN = re.compile(r"^ey\S+$", re.MULTILINE)


class Mailbox:
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        self.mails.append(mail)

    def forget(self, account_id: str) -> None:
        self.mails = [mail for mail in self.mails if mail.account_id != account_id]


class Installation:
    """An application, its mailbox, and people who sign in to it."""

    def __init__(self, app: Application, mailbox: Mailbox, visitor: httpx.AsyncClient) -> None:
        self.app = app
        self.mailbox = mailbox
        self.visitor = visitor
        self.identity = app.api.identity

    async def settled(self) -> None:
        """Wait for what the server does after its answers."""
        if self.identity._background:
            await asyncio.wait(self.identity._background, timeout=stretched(5))

    async def mails(self, address: str, subject: str) -> list[str]:
        """Return the texts of the mails with this subject to an address."""
        await self.settled()
        return [mail.text for mail in self.mailbox.mails if (mail.to, mail.subject) == (address, subject)]

    async def token(self, address: str, subject: str) -> str:
        """Return the token of the newest mail with this subject to an address."""
        texts = await self.mails(address, subject)
        found = _TOKEN.search(texts[-1])
        assert found is not None, texts
        return found.group()

    async def register(self, name: str, email: str | None = None, **headers: str) -> dict[str, Any]:
        body = {"email": email or f"{name}@example.org", "name": name, "password": PASSWORD}
        answer = await self.visitor.post(f"{AUTH}/register", json=body, headers=headers)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return answer.json()

    async def log_in(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        answer = await self.visitor.post(f"{AUTH}/login", json={"email": email, "password": password})
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    async def client(self, name: str, *, verified: bool = True) -> httpx.AsyncClient:
        """Register a person and return a client that acts for them."""
        email = f"{name}@example.org"
        await self.register(name)
        if verified:
            await self.verify(await self.token(email, "Verify your address"))
        return self.acting((await self.log_in(email))["accessToken"])

    def acting(self, token: str) -> httpx.AsyncClient:
        client = self.app.anybody()
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    async def verify(self, token: str, status: int = 204) -> httpx.Response:
        answer = await self.visitor.post(f"{AUTH}/verify", json={"token": token})
        assert answer.status_code == status, answer.text
        return answer

    async def reset(self, email: str, password: str = OTHER_PASSWORD) -> httpx.Response:
        """Ask for a new password, and set it with the token of the mail."""
        await self.visitor.post(f"{AUTH}/password/forgot", json={"email": email})
        token = await self.token(email, "Reset your password")
        return await self.visitor.post(f"{AUTH}/password/reset", json={"token": token, "password": password})


@asynccontextmanager
async def installation(path: Path, *, verifies: bool = True, **changes: Any) -> AsyncIterator[Installation]:
    """Run an installation whose mail goes into a mailbox; *changes* may change its `Api`."""
    mailbox = Mailbox()

    def adapt(profile: Any, api: Any) -> Any:
        if verifies:
            profile.settings = replace(profile.settings, smtp_url="smtp://127.0.0.1:1")
        identity = build_identity(profile)
        identity.mailer = mailbox
        identity.passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        return replace(api, identity=identity)

    async with whole_application(path, adapt, **changes) as app, app.anybody() as visitor:
        yield Installation(app, mailbox, visitor)

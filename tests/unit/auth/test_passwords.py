"""Passwords cost what they should, for accounts that are not there too, and no more memory than two of them take."""

import asyncio
import threading

import pytest

from read_api.auth.passwords import Passwords, TooManyLoginsError
from tests.support.time_scale import stretched


def run(ask):
    passwords = Passwords()
    try:
        return asyncio.run(ask(passwords))
    finally:
        passwords.close()


def test_the_parameters_are_those_of_rfc_9106() -> None:
    assert run(lambda p: p.hash("x")).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_password_is_verified() -> None:
    async def ask(passwords):
        hashed = await passwords.hash("right")
        return await passwords.verify(hashed, "right"), await passwords.verify(hashed, "wrong")

    assert run(ask) == (True, False)


def test_an_unknown_account_costs_a_check_too(monkeypatch) -> None:
    async def ask(passwords):
        checks = []
        matches = passwords._matches
        monkeypatch.setattr(passwords, "_matches", lambda *args: checks.append(args) or matches(*args))
        assert not await passwords.verify(None, "anything")
        assert not await passwords.verify(await passwords.hash("right"), "wrong")
        return [hashed.split("$")[:4] for hashed, _ in checks]

    unknown, known = run(ask)
    assert unknown == known


def test_an_older_hash_is_told() -> None:
    old = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$dGhpcyBpcyBub3QgYSBoYXNoIG9mIGFueXRoaW5n"

    async def ask(passwords):
        return passwords.is_outdated(old), passwords.is_outdated(await passwords.hash("x"))

    assert run(ask) == (True, False)


class Slow:
    """Hashes when it is told to, and notes how many were under way at once."""

    def __init__(self) -> None:
        self.gate, self.two, self.running, self.most = threading.Event(), threading.Event(), 0, 0
        self._lock = threading.Lock()

    def hash(self, _: str) -> str:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
            if self.running == 2:
                self.two.set()
        self.gate.wait(stretched(30))
        with self._lock:
            self.running -= 1
        return "hash"


def test_two_at_a_time_and_64_in_line() -> None:
    async def ask(passwords):
        slow = passwords._hasher = Slow()
        waiting = [asyncio.ensure_future(passwords.hash(str(number))) for number in range(64)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyLoginsError):
            await passwords.hash("one more")
        assert await asyncio.to_thread(slow.two.wait, 10)
        slow.gate.set()
        await asyncio.gather(*waiting)
        return slow.most

    assert run(ask) == 2

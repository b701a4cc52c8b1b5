"""Checks cost as much as they should, for unknown accounts too, and the memory of two checks at most."""

import asyncio
import threading

import pytest

from read_api.auth.passwords import Passwords, TooManyLoginsError
from tests.support.time_scale import stretched


def run(work, **options):
    passwords = Passwords(**options)
    try:
        return asyncio.run(work(passwords))
    finally:
        passwords.close()


def test_the_parameters_are_those_of_rfc_9106() -> None:
    assert run(lambda p: p.hash("x")).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_hash_of_other_parameters_is_verified_and_outdated() -> None:
    hashed = run(lambda p: p.hash("right"), memory=19)
    assert hashed.startswith("$argon2id$v=19$m=19456,t=3,p=4$")

    async def work(passwords):
        return await passwords.verify(hashed, "right"), passwords.is_outdated(hashed)

    assert run(work) == (True, True)
    assert run(work, memory=19) == (True, False)


def test_a_password_is_verified() -> None:
    async def work(passwords):
        hashed = await passwords.hash("right")
        return await passwords.verify(hashed, "right"), await passwords.verify(hashed, "wrong")

    assert run(work) == (True, False)


def test_an_unknown_account_costs_a_check_too(monkeypatch) -> None:
    async def work(passwords):
        checks = []
        matches = passwords._matches
        monkeypatch.setattr(passwords, "_matches", lambda *args: checks.append(args) or matches(*args))
        assert not await passwords.verify(None, "anything")
        assert not await passwords.verify(await passwords.hash("right"), "wrong")
        return [hashed.split("$")[:4] for hashed, _ in checks]

    unknown, known = run(work)
    assert unknown == known


def test_a_hash_with_older_parameters_is_outdated() -> None:
    old = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$dGhpcyBpcyBub3QgYSBoYXNoIG9mIGFueXRoaW5n"

    async def work(passwords):
        return passwords.is_outdated(old), passwords.is_outdated(await passwords.hash("x"))

    assert run(work) == (True, False)


class Slow:
    """Hashes once its gate opens, and notes how many hashes ran at once."""

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


def test_two_run_at_once_and_64_may_wait() -> None:
    async def work(passwords):
        slow = passwords._hasher = Slow()
        waiting = [asyncio.ensure_future(passwords.hash(str(number))) for number in range(64)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyLoginsError):
            await passwords.hash("one more")
        assert await asyncio.to_thread(slow.two.wait, 10)
        slow.gate.set()
        await asyncio.gather(*waiting)
        return slow.most

    assert run(work) == 2

"""Password hashing: Argon2id in a small pool of threads, which bounds the memory and processors it takes."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from commands.bus import BusyError

T = TypeVar("T")

_WORKERS = 2
_WAITING = 64


class TooManyLoginsError(BusyError):
    """Too many passwords wait for a check to be answered in time."""


MEMORY = 64
"""In MiB: what a check takes with the low-memory parameters of RFC 9106, the library's default."""

LEAST_MEMORY = 19
"""In MiB, from the recommendations of OWASP."""


class Passwords:
    """Hash and verify passwords (RFC 9106, the low-memory parameters unless the memory is another one)."""

    def __init__(self, memory: int = MEMORY) -> None:
        """Create the pool of two threads; each check takes *memory* MiB while it runs."""
        self._hasher = PasswordHasher(memory_cost=memory * 1024)
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="passwords")
        self._waiting = 0
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash of *password*; raises TooManyLoginsError."""
        result: str = await self._run(self._hasher.hash, password)
        return result

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Return whether *password* matches the hash; without a hash, take as long and return False."""
        if hashed is None:
            if self._decoy is None:
                self._decoy = await self.hash("nobody has this password")
            await self._run(self._matches, self._decoy, password)
            return False
        return bool(await self._run(self._matches, hashed, password))

    def is_outdated(self, hashed: str) -> bool:
        """Return whether *hashed* was computed with parameters other than the current ones."""
        return self._hasher.check_needs_rehash(hashed)

    def close(self) -> None:
        """Stop the pool."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, call: Callable[..., T], *args: str) -> T:
        if self._waiting >= _WAITING:
            raise TooManyLoginsError("too many sign-ins at once: try again in a few seconds")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call, *args)
        finally:
            self._waiting -= 1

"""The engine, made when it is first asked for: a start does not wait for a schema that nobody may use."""

import asyncio
from typing import TYPE_CHECKING

from read_api.api import Api

if TYPE_CHECKING:
    from read_api.graphql.executor import Engine


class Engines:
    """Make one engine for all transports, in a thread: the event loop goes on."""

    def __init__(self, api: Api) -> None:
        """Work over *api*."""
        self._api = api
        self._made: Engine | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> "Engine":
        """Return the engine."""
        if self._made is None:
            async with self._lock:
                if self._made is None:
                    self._made = await asyncio.to_thread(self._make)
        return self._made

    def _make(self) -> "Engine":
        from read_api.graphql.executor import Engine  # noqa: PLC0415 # it takes a moment to import

        return Engine(self._api)

"""The executor, made when it is first needed: the start does not wait for a schema that may go unused."""

import asyncio
from typing import TYPE_CHECKING

from read_api.api import Api

if TYPE_CHECKING:
    from read_api.graphql.executor import Executor


class LazyExecutor:
    """Make one executor for all transports, in a thread so that the event loop is not blocked."""

    def __init__(self, api: Api) -> None:
        """Work over *api*."""
        self._api = api
        self._executor: Executor | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> "Executor":
        """Return the executor."""
        if self._executor is None:
            async with self._lock:
                if self._executor is None:
                    self._executor = await asyncio.to_thread(self._make)
        return self._executor

    def _make(self) -> "Executor":
        from read_api.graphql.executor import Executor  # noqa: PLC0415 # the import takes a moment

        return Executor(self._api)

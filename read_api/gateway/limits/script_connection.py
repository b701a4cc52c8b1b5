"""One connection that runs one script, without the work that a pool of connections does for each command."""

import hashlib
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError


class ScriptConnection:
    """Run a script, one call at a time; a call that fails or is cancelled closes the connection."""

    def __init__(self, client: Redis, script: str) -> None:
        """Run *script* over a connection with the settings of *client*, opened when first needed."""
        self._pool = client.connection_pool
        self._script = script
        self._hash = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        self._connection: AbstractConnection | None = None

    async def run(self, keys: Sequence[str], args: Sequence[int]) -> Any:
        """Return the script's answer; raises RedisError and OSError."""
        connection, self._connection = self._connection, None
        if connection is None:
            connection = self._pool.make_connection()  # type: ignore[no-untyped-call] # redis-py
        try:
            if not connection.is_connected:
                await connection.connect()
            answer = await self._call(connection, keys, args)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        self._connection = connection
        return answer

    async def aclose(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect()

    async def _call(self, connection: AbstractConnection, keys: Sequence[str], args: Sequence[int]) -> Any:
        try:
            return await self._send(connection, "EVALSHA", self._hash, len(keys), *keys, *args)
        except NoScriptError:  # the server was restarted, or its scripts were flushed
            return await self._send(connection, "EVAL", self._script, len(keys), *keys, *args)

    async def _send(self, connection: AbstractConnection, *command: str | int) -> Any:
        await connection.send_packed_command(connection.pack_command(*command), check_health=False)
        return await connection.read_response()

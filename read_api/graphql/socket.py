"""`/graphql` over WebSocket: `graphql-transport-ws`, the protocol of the npm package `graphql-ws`."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from read_api.api import Api
from read_api.gateway.call import Call
from read_api.gateway.routes import decoded_headers
from read_api.graphql.lazy_executor import LazyExecutor
from read_api.graphql.operations import SocketOperations
from read_api.graphql.protocol import Close, Message, ProtocolError, read_message
from read_api.problems import HttpError
from read_api.realtime.channels import until_revoked
from read_api.realtime.first_result import first_result

if TYPE_CHECKING:
    from read_api.graphql.context import Context

PATH = "/graphql"
PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0
PING_SECONDS = 15.0
_TOO_MANY = 4429
_GOING_AWAY = Close(1001, "the server is stopping")


def socket_route(api: Api, executor: LazyExecutor) -> Any:
    """Return the route of the WebSocket."""

    @websocket(PATH)
    async def graphql(socket: WebSocket[Any, Any, Any]) -> None:
        if PROTOCOL not in socket.scope.get("subprotocols", ()):
            await socket.accept()
            await socket.close(code=4406, reason="Subprotocol not acceptable")
            return
        await socket.accept(subprotocols=PROTOCOL)
        with api.hub.subscriber("graphql"):
            close = await Conversation(api, executor, socket).hold()
            if close is not None:
                with suppress(Exception):  # the client may have gone
                    await socket.close(code=close.code, reason=close.reason)

    return graphql


class Conversation:
    """One connection: its operations run concurrently, and their messages are sent one after the other."""

    def __init__(self, api: Api, executor: LazyExecutor, socket: WebSocket[Any, Any, Any]) -> None:
        """Speak on *socket*, which was accepted."""
        self._api = api
        self._executor = executor
        self._socket = socket
        self._request_id: str = socket.scope["state"]["request_id"]
        self._sending = asyncio.Lock()
        self._operations: SocketOperations | None = None
        self._initialised = False
        self._call: Call | None = None
        self._authenticated = asyncio.Event()
        self._anonymous_lease = AsyncExitStack()

    async def hold(self) -> Close | None:
        """Talk until one side ends it; return how to close the socket, None where the client has gone."""
        async with self._anonymous_lease:
            call = Call(self._api, {}, {}, {}, self._request_id, self._socket.scope["state"])
            try:  # until the client sends its token, the socket counts for its address
                await self._anonymous_lease.enter_async_context(self._api.limits.socket(call))
            except HttpError as error:
                return Close(_TOO_MANY, error.code)
            return await self._talk()

    async def _talk(self) -> Close | None:
        try:
            return await first_result(
                self._listen(), self._ping(), self._until_drained(), self._until_revoked()
            )
        finally:
            if self._operations is not None:
                await self._operations.stop_all()

    async def _until_drained(self) -> Close:
        await self._api.hub.changed({})
        return _GOING_AWAY

    async def _ping(self) -> Close:
        """Refuse a client that does not initialise the connection in time; then ping it at intervals."""
        await asyncio.sleep(INIT_SECONDS)
        if not self._initialised:
            return Close(4408, "Connection initialisation timeout")
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self.send({"type": "ping"})

    async def _listen(self) -> Close | None:
        try:
            while True:
                text = await self._socket.receive_data(mode="text")
                await self._take(read_message(text))
        except WebSocketDisconnect:
            return None
        except ProtocolError as error:
            return error.close

    async def _take(self, message: Message) -> None:
        match message.type:
            case "connection_init":
                await self._initialise(message)
            case "ping":
                await self.send({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                if self._operations is None:
                    raise ProtocolError(4401, "Unauthorized")
                self._operations.start(message)
            case "complete":
                if self._operations is not None and isinstance(message.id, str):
                    self._operations.stop(message.id)
            case _:
                raise ProtocolError(4400, f"there is no message of type {message.type}")

    async def _initialise(self, message: Message) -> None:
        """Take the token from the payload, else from the header of the request."""
        if self._initialised:
            raise ProtocolError(4429, "Too many initialisation requests")
        self._initialised = True
        headers = decoded_headers(self._socket.scope)
        payload = {} if message.payload is None else message.payload
        if not isinstance(payload, dict):
            raise ProtocolError(4400, "the payload of connection_init: write an object")
        token = payload.get("authorization", payload.get("Authorization"))
        if isinstance(token, str):
            headers["authorization"] = token if " " in token.strip() else f"Bearer {token.strip()}"
        executor = await self._executor.get()
        context = executor.context(headers, self._request_id, self._socket.scope["state"])
        await self._admit(context)
        self._operations = SocketOperations(executor, context, self.send)
        await self.send({"type": "connection_ack"})

    async def _admit(self, context: "Context") -> None:
        """Refuse an invalid token, and more connections than the tier allows; raises ProtocolError."""
        try:
            _ = context.actor
            await self._api.limits.request(context.call)
            await self._anonymous_lease.aclose()  # from now on the socket counts for its account
            await self._api.limits.hold(context.call)
        except HttpError as error:
            code = _TOO_MANY if error.status == HTTPStatus.TOO_MANY_REQUESTS else 4403
            raise ProtocolError(code, error.code) from error
        self._call = context.call
        self._authenticated.set()

    async def _until_revoked(self) -> Close:
        """Wait until the client's credentials are no longer valid."""
        await self._authenticated.wait()
        assert self._call is not None  # noqa: S101 # it was set before
        await until_revoked(self._call)
        return Close(4403, "the session has ended")

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send a message, after the one that is being sent."""
        async with self._sending:
            await self._socket.send_data(msgspec.json.encode(message).decode(), mode="text")

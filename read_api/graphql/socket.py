"""`/graphql` over WebSocket: the protocol `graphql-transport-ws`, as the npm package `graphql-ws` speaks it."""

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
from read_api.gateway.problems import HttpError
from read_api.graphql.lazy_engine import Engines
from read_api.graphql.operations import Operations
from read_api.graphql.protocol import Close, Message, ProtocolError, read_message
from read_api.realtime.channels import until_revoked

if TYPE_CHECKING:
    from read_api.graphql.context import Context

PATH = "/graphql"
PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0
PING_SECONDS = 15.0
_TOO_MANY = 4429
_GOING_AWAY = Close(1001, "the server is stopping")


def socket_route(api: Api, engines: Engines) -> Any:
    """Return the route of the WebSocket."""

    @websocket(PATH)
    async def graphql(socket: WebSocket[Any, Any, Any]) -> None:
        if PROTOCOL not in socket.scope.get("subprotocols", ()):
            await socket.accept()
            await socket.close(code=4406, reason="Subprotocol not acceptable")
            return
        await socket.accept(subprotocols=PROTOCOL)
        with api.hub.subscriber():
            goodbye = await Conversation(api, engines, socket).hold()
            if goodbye is not None:
                with suppress(Exception):  # who has gone needs no goodbye
                    await socket.close(code=goodbye.code, reason=goodbye.reason)

    return graphql


class Conversation:
    """One connection: its operations run beside each other, and what they send goes out one after the other."""

    def __init__(self, api: Api, engines: Engines, socket: WebSocket[Any, Any, Any]) -> None:
        """Speak on *socket*, which was accepted."""
        self._api = api
        self._engines = engines
        self._socket = socket
        self._request_id: str = socket.scope["state"]["request_id"]
        self._sending = asyncio.Lock()
        self._operations: Operations | None = None
        self._initialised = False
        self._call: Call | None = None
        self._introduced = asyncio.Event()
        self._waiting = AsyncExitStack()

    async def hold(self) -> Close | None:
        """Talk until somebody ends it; return how to close the socket, None where the client has gone."""
        async with self._waiting:
            stranger = Call(self._api, {}, {}, {}, self._request_id, self._socket.scope["state"])
            try:  # until it says whose it is, it is one of its address
                await self._waiting.enter_async_context(self._api.limits.socket(stranger))
            except HttpError as error:
                return Close(_TOO_MANY, error.code)
            return await self._talk()

    async def _talk(self) -> Close | None:
        parts = (self._listen(), self._beat(), self._until_drained(), self._until_revoked())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:  # granian closes only when nobody listens
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._operations is not None:
                await self._operations.end()

    async def _until_drained(self) -> Close:
        await self._api.hub.changed({})
        return _GOING_AWAY

    async def _beat(self) -> Close:
        """Refuse who does not introduce itself in time; then ask now and then whether the client is there."""
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
                await self._begin(message)
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

    async def _begin(self, message: Message) -> None:
        """Take who it is from the payload, else from the header of the request."""
        if self._initialised:
            raise ProtocolError(4429, "Too many initialisation requests")
        self._initialised = True
        headers = _headers(self._socket.scope)
        payload = message.payload if isinstance(message.payload, dict) else {}
        token = payload.get("authorization", payload.get("Authorization"))
        if isinstance(token, str):
            headers["authorization"] = token if " " in token.strip() else f"Bearer {token.strip()}"
        engine = await self._engines.get()
        context = engine.context(headers, self._request_id, self._socket.scope["state"])
        await self._let_in(context)
        self._operations = Operations(engine, context, self.send)
        await self.send({"type": "connection_ack"})

    async def _let_in(self, context: "Context") -> None:
        """Refuse a token that is not valid, and more connections than the tier allows; raises ProtocolError."""
        try:
            _ = context.actor
            await self._api.limits.request(context.call)
            await self._waiting.aclose()  # from now on it is one of its account's
            await self._api.limits.hold(context.call)
        except HttpError as error:
            code = _TOO_MANY if error.status == HTTPStatus.TOO_MANY_REQUESTS else 4403
            raise ProtocolError(code, error.code) from error
        self._call = context.call
        self._introduced.set()

    async def _until_revoked(self) -> Close:
        """Wait until who introduced itself may no longer act as before."""
        await self._introduced.wait()
        assert self._call is not None  # noqa: S101 # it was set before
        await until_revoked(self._call)
        return Close(4403, "the session has ended")

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send a message; whoever has more waits until this one is out."""
        async with self._sending:
            await self._socket.send_data(msgspec.json.encode(message).decode(), mode="text")


def _headers(scope: Any) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}

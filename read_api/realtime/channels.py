"""`/ws/events` and `/api/v1/events/stream`: the same subscription over WebSocket and server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import msgspec
from litestar import Request, Response, WebSocket, get, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.response import Stream

from commands.log import LogUnavailableError
from commands.position import Position, PositionError
from domain.actor import Actor
from domain.errors import Refusal
from domain.policy import permit
from projections.models.projects import PROJECTS
from projections.progress import NotCaughtUpError
from projections.store import StoreUnavailableError
from read_api.api import Api
from read_api.gateway.bodies import read_query
from read_api.gateway.call import Call
from read_api.gateway.routes import decoded_headers, failed, response
from read_api.problems import BadInputError, HttpError, as_http_error, as_problem, internal_error
from read_api.realtime.events import Shown
from read_api.realtime.first_result import first_result
from read_api.realtime.subscription import Subscription

_BEAT_SECONDS = 15.0
_CHECK_SECONDS = 2.0  # whatever is sent, it is looked before

_CLOSE_UNAUTHORIZED = 4401
_SSE = "text/event-stream"
_CLOSE_GOING_AWAY = 1001
_CLOSE_TRY_AGAIN = 1013
_PROJECTS = 100


def visible(api: Api, project_id: str, actor: Actor) -> bool:
    """Tell whether *actor* may see the project now."""
    return bool(api.queries.projects.visible([project_id], actor))


async def subscription(
    call: Call, position: Position, *, projects: frozenset[str] | None, topics: frozenset[str] | None
) -> Subscription:
    """Return a subscription to the events after *position*, of these *projects* and *topics* (None: of all).

    Raises HttpError, and StoreUnavailableError where the read models do not come to the position in time.
    """
    api = call.api
    permit(call.actor, "events.read")
    if projects is not None and len(projects) > _PROJECTS:
        raise BadInputError(f"subscribe to at most {_PROJECTS} projects", "projects")
    if projects is not None:
        await api.progress.wait((PROJECTS,), position.sequences, api.wait_seconds)
    found = Subscription(
        api.hub,
        lambda project, actor: visible(api, project, actor),
        call.actor,
        position,
        projected=lambda sequence, partition: _projected(api, sequence, partition),
        projects=projects,
        topics=topics,
        in_threads=api.in_threads,
        published=api.published_again,
    )
    await found.begin()
    return found


async def _subscription_of(call: Call, position: Position) -> Subscription:
    """Return the subscription that the query of a request describes; raises as `subscription` does."""
    query = call.query
    return await subscription(
        call, position, projects=_names(query, "projects"), topics=_names(query, "type")
    )


async def start(call: Call, last_seen: str | None) -> Position:
    """Return where a subscription starts: behind the given position, else at the present end.

    Raises PositionError, and HttpError 503 where the log does not come to the position in time.
    """
    token = last_seen or call.query.get("after")
    if token is not None:
        return await call.api.consistency.reached(token)
    return call.api.logs.tip()


async def _projected(api: Api, sequence: int, partition: int) -> None:
    """Wait until the read model that tells who may see what includes *sequence* of *partition*, or the server stops."""
    while not api.hub.draining:
        try:
            await api.progress.wait((PROJECTS,), {partition: sequence}, api.wait_seconds)
        except NotCaughtUpError:
            continue
        return


def _names(query: dict[str, str], name: str) -> frozenset[str] | None:
    value = query.get(name)
    return frozenset(part for part in value.split(",") if part) if value else None


def event_stream(api: Api) -> Any:
    """Return the route of the server-sent events (WHATWG HTML, section 9.2)."""

    @get("/api/v1/events/stream", include_in_schema=False)
    async def stream(request: Request[Any, Any, Any]) -> Response[Any]:
        state: dict[str, Any] = request.scope["state"]
        try:
            call = _call(api, request.scope, state["request_id"])
            await api.limits.request(call)
            await api.limits.hold(call)
            position = await start(call, call.headers.get("last-event-id"))
            found = await _subscription_of(call, position)
        except Exception as error:  # noqa: BLE001 # the error table knows them
            return response(failed(error, state["instance"], state["request_id"]))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if state.get("head"):
            return Response(b"", media_type=_SSE, headers=headers)
        return Stream(_sse(call, found, position.token()), media_type=_SSE, headers=headers)

    return stream


async def _sse(call: Call, found: Subscription, token: str) -> AsyncIterator[bytes]:
    """Write the stream; the first block has no event, but the place to resume from."""
    yield b"retry: 1000\nid: %s\n\n" % token.encode()
    with call.api.hub.subscriber():
        async for batch in with_beats(found, call.caller.is_still_authorized):
            if not call.caller.is_still_authorized():
                yield b'event: error\ndata: {"code":"invalid_token"}\n\n'
                return
            if batch is None:
                yield b": still here\n\n"
            elif batch:
                yield b"".join(_sse_event(event) for event in batch)
        yield b"event: drain\ndata: {}\n\n"


def _sse_event(event: Shown) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event.token.encode(), event.topic.encode(), event.json)


async def with_beats(
    found: Subscription, still: Callable[[], bool]
) -> AsyncGenerator[list[Shown] | None, None]:
    """Yield the batches of a subscription, and None whenever it has been quiet for a while, or *still* says no."""
    batches = found.batches()
    quiet = 0.0
    pending: asyncio.Task[list[Shown]] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(batches))
            done, _ = await asyncio.wait({pending}, timeout=_CHECK_SECONDS)
            quiet = 0.0 if done else quiet + _CHECK_SECONDS
            if not done:
                if quiet >= _BEAT_SECONDS or not still():
                    quiet = 0.0
                    yield None
                continue
            try:
                batch = pending.result()
            except StopAsyncIteration:
                return
            pending = None
            yield batch
    finally:
        if pending is not None:
            pending.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await pending
        await batches.aclose()


def event_socket(api: Api) -> Any:
    """Return the route of the WebSocket: every message is one event with its position."""

    @websocket("/ws/events")
    async def socket(socket: WebSocket[Any, Any, Any]) -> None:
        request_id = socket.scope["state"]["request_id"]
        await socket.accept()
        try:
            call = _call(api, socket.scope, request_id)
            await api.limits.request(call)
            await api.limits.hold(call)
            found = await _subscription_of(call, await start(call, None))
        except (HttpError, PositionError, Refusal, StoreUnavailableError) as error:
            await _refuse(socket, error, request_id)
            return
        with api.hub.subscriber():
            goodbye = await _converse(socket, found, call)
            if goodbye is not None:
                await socket.close(*goodbye)

    return socket


async def _converse(
    socket: WebSocket[Any, Any, Any], found: Subscription, call: Call
) -> tuple[int, str] | None:
    """Send events until the server has to close the socket, and return how; None where the client has gone."""
    return await first_result(_send(socket, found, call), _listen(socket), _watch(call))


async def until_revoked(call: Call) -> None:
    """Wait until who sent *call* may no longer act as before; nothing tells when the time of a session is up."""
    while call.caller.is_still_authorized():  # noqa: ASYNC110 # as above
        await asyncio.sleep(_CHECK_SECONDS)


async def _watch(call: Call) -> tuple[int, str]:
    """Wait until who listens may no longer do so; return how to close the socket."""
    await until_revoked(call)
    return _CLOSE_UNAUTHORIZED, "the session has ended"


async def _send(socket: WebSocket[Any, Any, Any], found: Subscription, call: Call) -> tuple[int, str]:
    """Send events until no more will come; return how to close the socket."""
    try:
        async for batch in found.batches():
            if not call.caller.is_still_authorized():
                return _CLOSE_UNAUTHORIZED, "the session has ended"
            for event in batch:
                await socket.send_data(event.json.decode(), mode="text")
    except (LogUnavailableError, StoreUnavailableError):
        return _CLOSE_TRY_AGAIN, "the history cannot be read now"
    await socket.send_data('{"type":"drain"}', mode="text")
    return _CLOSE_GOING_AWAY, "the server is stopping"


async def _listen(socket: WebSocket[Any, Any, Any]) -> None:
    """Take what the client sends, until it goes: nothing that it says changes the subscription."""
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_data(mode="text")


async def _refuse(socket: WebSocket[Any, Any, Any], error: Exception, request_id: str) -> None:
    """Say why before closing; the codes are 4000 + the HTTP status."""
    known = as_http_error(error) or internal_error()
    problem = as_problem(known, "/ws/events", request_id)
    await socket.send_data(msgspec.json.encode({"type": "error", "problem": problem}).decode(), mode="text")
    await socket.close(code=4000 + known.status, reason=known.code)


def _call(api: Api, scope: Any, request_id: str) -> Call:
    headers = decoded_headers(scope)
    query = read_query(scope["query_string"])
    if "token" in query and "authorization" not in headers:  # browsers cannot set headers on a WebSocket
        headers["authorization"] = f"Bearer {query['token']}"
    return Call(api, headers, {}, query, request_id, scope["state"])

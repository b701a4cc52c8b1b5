"""The live channels: `/ws/events` over WebSocket, `/api/v1/events/stream` over server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from functools import partial
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
from domain.project.private_time import SeenHistory
from projections.models.projects import PROJECTS
from projections.progress import NotCaughtUpError
from projections.store import StoreUnavailableError
from read_api.api import Api
from read_api.contract.event_filter import EVERY_EVENT, EventFilter
from read_api.contract.event_ranges import before_time
from read_api.contract.events import check_projects, passes
from read_api.contract.queries import LiveQuery
from read_api.gateway.call import Call
from read_api.gateway.operation import struct_fields
from read_api.gateway.query_strings import check_parameters, decode_query, read_query
from read_api.gateway.routes import decoded_headers, failed, response
from read_api.problems import BadInputError, HttpError, as_http_error, as_problem, internal_error
from read_api.realtime.events import RenderedEvent
from read_api.realtime.first_result import first_result
from read_api.realtime.frames import sending
from read_api.realtime.subscription import Subscription

_HEARTBEAT_SECONDS = 15.0
_CHECK_SECONDS = 2.0  # credentials are checked before each batch too

_CLOSE_UNAUTHORIZED = 4401
_SSE = "text/event-stream"
_CLOSE_GOING_AWAY = 1001
_CLOSE_TRY_AGAIN = 1013
_REASON_BYTES = 123

STREAM_PATH = "/api/v1/events/stream"
STREAM_PARAMETERS = frozenset(struct_fields(LiveQuery))


def seen_history(api: Api, project_id: str, actor: Actor) -> SeenHistory | None:
    """Return which part of the project's history *actor* sees now, None for nothing."""
    return api.queries.projects.histories([project_id], actor).get(project_id)


async def open_subscription(call: Call, position: Position, wanted: EventFilter) -> Subscription:
    """Return a new subscription to the events after *position* that pass.

    Raises HttpError, NotFoundError for a project that the caller may not know of, and StoreUnavailableError
    where the read models do not reach the position in time.
    """
    api = call.api
    permit(call.actor, "events.read")
    if wanted.projects is not None:
        await api.progress.wait((PROJECTS,), position.sequences, api.wait_seconds)
        await check_projects(call, wanted.projects)
    subscription = Subscription(
        api.hub,
        lambda project, actor: seen_history(api, project, actor),
        call.actor,
        position,
        projected=lambda sequence, partition: _projected(api, sequence, partition),
        projects=wanted.projects,
        topics=wanted.topics,
        passes=partial(passes, wanted) if wanted != EVERY_EVENT else None,
        in_threads=api.in_threads,
        published=api.published_again,
    )
    await subscription.begin()
    return subscription


async def _subscribed(call: Call, last_event_id: str | None) -> Subscription:
    """Return the subscription that the query describes; raises as `open_subscription` does."""
    query = decode_query(call.query, LiveQuery)
    if query.newest_first:
        raise BadInputError("a live channel sends the oldest event first: leave order out", "order")
    wanted = query.filter()
    name = "Last-Event-ID" if last_event_id else "after"
    position = await start_position(call, last_event_id or query.after, wanted, name)
    return await open_subscription(call, position, wanted)


async def start_position(call: Call, token: str | None, wanted: EventFilter, name: str = "after") -> Position:
    """Return the position that a subscription starts after.

    It is that of *token*, which the parameter or header *name* has, else the time from which events are
    wanted, else the current end of the log. Raises BadInputError, and HttpError 503 where the log does not
    reach the position in time.
    """
    logs = call.api.logs
    if token is not None:
        return await call.api.consistency.reached(token, name)
    if wanted.since is None:
        return logs.tip()
    return await asyncio.to_thread(before_time, logs, wanted.since)


async def _projected(api: Api, sequence: int, partition: int) -> None:
    """Wait until the read model of projects includes *sequence* of *partition*, or the server stops."""
    while not api.hub.draining:
        try:
            await api.progress.wait((PROJECTS,), {partition: sequence}, api.wait_seconds)
        except NotCaughtUpError:
            continue
        return


def event_stream(api: Api) -> Any:
    """Return the route of the server-sent events (WHATWG HTML, section 9.2)."""

    @get(STREAM_PATH, include_in_schema=False)
    async def stream(request: Request[Any, Any, Any]) -> Response[Any]:
        state: dict[str, Any] = request.scope["state"]
        try:
            call = _call(api, request.scope, state["request_id"])
            await api.limits.request(call)
            await api.limits.hold(call)
            subscription = await _subscribed(call, call.headers.get("last-event-id"))
        except Exception as error:  # noqa: BLE001 # the error table maps every error to an answer
            return response(failed(error, state["instance"], state["request_id"]))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if state.get("head"):
            return Response(b"", media_type=_SSE, headers=headers)
        return Stream(
            _sse(call, subscription, subscription.position.token()), media_type=_SSE, headers=headers
        )

    return stream


async def _sse(call: Call, subscription: Subscription, token: str) -> AsyncIterator[bytes]:
    """Yield the stream; its first block has no event, only the position to resume after."""
    yield b"retry: 1000\nid: %s\n\n" % token.encode()
    with call.api.hub.subscriber("sse"):
        async for batch in with_heartbeats(subscription, call.caller.is_still_authorized):
            if not call.caller.is_still_authorized():
                yield b'event: error\ndata: {"code":"invalid_token"}\n\n'
                return
            if batch is None:
                yield b": still here\n\n"
            elif batch:
                with sending(call.api.hub, "sse", batch):
                    yield b"".join(_sse_event(event) for event in batch)
        yield b"event: drain\ndata: {}\n\n"


def _sse_event(event: RenderedEvent) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event.token.encode(), event.topic.encode(), event.json)


async def with_heartbeats(
    subscription: Subscription, is_authorized: Callable[[], bool]
) -> AsyncGenerator[list[RenderedEvent] | None, None]:
    """Yield the batches of a subscription, and None after 15 s without one or once not *is_authorized*."""
    batches = subscription.batches()
    quiet_seconds = 0.0
    pending: asyncio.Task[list[RenderedEvent]] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(batches))
            ready, _ = await asyncio.wait({pending}, timeout=_CHECK_SECONDS)
            quiet_seconds = 0.0 if ready else quiet_seconds + _CHECK_SECONDS
            if not ready:
                if quiet_seconds >= _HEARTBEAT_SECONDS or not is_authorized():
                    quiet_seconds = 0.0
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
    """Return the route of the WebSocket; each message is one event, with its position."""

    @websocket("/ws/events")
    async def socket(socket: WebSocket[Any, Any, Any]) -> None:
        request_id = socket.scope["state"]["request_id"]
        await socket.accept()
        try:
            call = _call(api, socket.scope, request_id)
            await api.limits.request(call)
            await api.limits.hold(call)
            subscription = await _subscribed(call, None)
        except (HttpError, PositionError, Refusal, StoreUnavailableError) as error:
            await _refuse(socket, error, request_id)
            return
        with api.hub.subscriber("websocket"):
            close = await _converse(socket, subscription, call)
            if close is not None:
                await socket.close(*close)

    return socket


async def _converse(
    socket: WebSocket[Any, Any, Any], subscription: Subscription, call: Call
) -> tuple[int, str] | None:
    """Send events until the server must close the socket; return code and reason, None if the client left."""
    return await first_result(_send(socket, subscription, call), _listen(socket), _watch(call))


async def until_revoked(call: Call) -> None:
    """Wait until the credentials of *call* are no longer valid."""
    while call.caller.is_still_authorized():  # noqa: ASYNC110 # a session may expire without an event
        await asyncio.sleep(_CHECK_SECONDS)


async def _watch(call: Call) -> tuple[int, str]:
    """Wait until the subscriber's credentials are no longer valid; return code and reason to close with."""
    await until_revoked(call)
    return _CLOSE_UNAUTHORIZED, "the session has ended"


async def _send(socket: WebSocket[Any, Any, Any], subscription: Subscription, call: Call) -> tuple[int, str]:
    """Send events until the subscription ends; return code and reason to close with."""
    try:
        async for batch in subscription.batches():
            if not call.caller.is_still_authorized():
                return _CLOSE_UNAUTHORIZED, "the session has ended"
            with sending(call.api.hub, "websocket", batch):
                for event in batch:
                    await socket.send_data(event.json.decode(), mode="text")
    except (LogUnavailableError, StoreUnavailableError):
        return _CLOSE_TRY_AGAIN, "the history cannot be read now: try again"
    await socket.send_data('{"type":"drain"}', mode="text")
    return _CLOSE_GOING_AWAY, "the server is stopping"


async def _listen(socket: WebSocket[Any, Any, Any]) -> None:
    """Receive and ignore the client's messages until it disconnects."""
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_data(mode="text")


async def _refuse(socket: WebSocket[Any, Any, Any], error: Exception, request_id: str) -> None:
    """Send the problem as a message, then close with the code 4000 + the HTTP status.

    The reason is the problem's code; for a parameter that is wrong, it is what to write instead.
    """
    refusal = as_http_error(error) or internal_error()
    problem = as_problem(refusal, "/ws/events", request_id)
    await socket.send_data(msgspec.json.encode({"type": "error", "problem": problem}).decode(), mode="text")
    of_input = refusal.faults and refusal.code != "invalid_position"
    reason = refusal.detail if of_input else refusal.code
    await socket.close(code=4000 + refusal.status, reason=_short(reason))


def _short(reason: str) -> str:
    """Return *reason* within the bytes that a close frame has for it (RFC 6455, section 5.5)."""
    return reason.encode()[:_REASON_BYTES].decode(errors="ignore")


def _call(api: Api, scope: Any, request_id: str) -> Call:
    headers = decoded_headers(scope)
    query = read_query(scope["query_string"])
    check_parameters(query, STREAM_PARAMETERS)
    if "token" in query and "authorization" not in headers:  # browsers cannot set headers on a WebSocket
        headers["authorization"] = f"Bearer {query['token']}"
    return Call(api, headers, {}, query, request_id, scope["state"])

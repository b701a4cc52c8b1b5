"""The live channels of the API for AsyncAPI: the WebSocket and the server-sent events."""

from typing import Any

_DOCUMENT = dict[str, Any]
_BINDING = "0.1.0"
_HTTP_BINDING = "0.3.0"
_SOCKET, _SSE = "live-socket", "live-stream"

_TEXT: _DOCUMENT = {"type": "string"}
_TEXT_OR_NULL: _DOCUMENT = {"type": ["string", "null"]}
_COUNT: _DOCUMENT = {"type": "integer", "minimum": 0}
_NUMBER: _DOCUMENT = {"type": "integer", "minimum": 1}


def live_schema() -> _DOCUMENT:
    """Return the schema of a live event as callers who may see the project get it."""
    properties: _DOCUMENT = {
        "id": _TEXT,
        "type": _TEXT,
        "schemaVersion": _NUMBER,
        "projectId": _TEXT_OR_NULL,
        "stream": _TEXT,
        "version": {**_COUNT, "description": "0 for analysts, who get the public form of events."},
        "sequence": {**_COUNT, "description": "0 for analysts, who get the public form of events."},
        "position": {"type": "string", "description": "Give it as `after` to continue after this event."},
        "occurredAt": {"type": "string", "format": "date-time"},
        "actor": _TEXT,
        "operatedBy": _TEXT_OR_NULL,
        "commandId": _TEXT,
        "correlationId": _TEXT,
        "causationId": _TEXT_OR_NULL,
        "traceparent": _TEXT_OR_NULL,
        "data": {
            "type": ["object", "null"],
            "description": "The event; the reference of events has its schemas.",
        },
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def live_channels() -> _DOCUMENT:
    """Return the channels by id."""
    socket: _DOCUMENT = {"method": "GET", "query": _parameters(), "bindingVersion": _BINDING}
    return {
        _SOCKET: {
            "address": "/ws/events",
            "description": "One message for each event after `after`, without gaps or repetitions.",
            "servers": [{"$ref": "#/servers/live"}],
            "messages": {
                "event": _event(),
                "error": _control("error", "Why the server closes a connection that it does not accept."),
                "drain": _control("drain", "The server stops: connect again after a short pause."),
            },
            "bindings": {"ws": socket},
        },
        _SSE: {
            "address": "/api/v1/events/stream",
            "description": "The same events as server-sent events; `Last-Event-ID` resumes.",
            "servers": [{"$ref": "#/servers/api"}],
            "messages": {"event": _event()},
        },
    }


def live_operations() -> _DOCUMENT:
    """Return the operations by id."""
    query = {"method": "GET", "query": _parameters(), "bindingVersion": _HTTP_BINDING}
    return {
        "receive-live-socket": _receive(_SOCKET, "Receive events over a WebSocket."),
        "receive-live-stream": {
            **_receive(_SSE, "Receive events as server-sent events."),
            "bindings": {"http": query},
        },
    }


def _receive(channel: str, summary: str) -> _DOCUMENT:
    return {"action": "receive", "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _event() -> _DOCUMENT:
    return {
        "name": "event",
        "contentType": "application/json",
        "payload": {"$ref": "#/components/schemas/live"},
    }


def _control(kind: str, summary: str) -> _DOCUMENT:
    properties = {"type": {"const": kind}, "problem": {"type": "object"}}
    payload = {"type": "object", "properties": properties, "required": ["type"]}
    return {"name": kind, "summary": summary, "contentType": "application/json", "payload": payload}


def _parameters() -> _DOCUMENT:
    def text(description: str) -> _DOCUMENT:
        return {"type": "string", "description": description}

    return {
        "type": "object",
        "properties": {
            "after": text("A position: all events after it, then new ones. Without it, only new events."),
            "projects": text("Ids of projects, separated by commas, at most 100."),
            "type": text("Event types, separated by commas."),
            "stream": text("Streams, separated by commas, such as `project-<id>`."),
            "actor": text("Ids of accounts or services that acted, separated by commas."),
            "from": text("An RFC 3339 time: only events not before it; without `after`, all since then."),
            "until": text("An RFC 3339 time: only events not after it."),
            "order": {"const": "asc", "description": "The oldest event first; there is no other order."},
            "token": text("An access token, for clients that cannot set the header Authorization."),
        },
    }

"""Pages of events, as the REST paths give them."""

from typing import Any

import msgspec

from projections.writes import Document
from read_api.gateway.call import Answer
from read_api.graphql.arguments import Arguments
from read_api.graphql.context import Context
from read_api.rest.events import EventQuery, HistoryQuery, list_events, list_history

_AFTER = {"limit": "first"}

EVENTS = Arguments(EventQuery, without=("cursor",), renamed=_AFTER)
HISTORY = Arguments(HistoryQuery, without=("cursor",), renamed=_AFTER)


async def events_page(context: Context, query: EventQuery) -> Document:
    """Return a page of the events that may be seen, oldest first."""
    return _connection(await list_events(context.call, query), query.after)


async def history_page(context: Context, project_id: str, query: HistoryQuery) -> Document:
    """Return a page of a project's events, oldest first."""
    return _connection(await list_history(context.call_of(project_id), query), query.after)


def _connection(answer: Answer, after: str | None) -> Document:
    found: dict[str, Any] = msgspec.json.decode(answer.body)
    events, more = found["items"], found["nextCursor"]
    return {
        "edges": [{"cursor": event["position"], "node": event} for event in events],
        "nodes": events,
        "position": found["position"],
        "pageInfo": {
            "hasNextPage": more is not None,
            "hasPreviousPage": after is not None,
            "startCursor": events[0]["position"] if events else None,
            "endCursor": more or found["position"],
        },
    }

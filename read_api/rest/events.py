"""`/events` and `/projects/{id}/history`: the event history itself."""

import msgspec

from read_api.contract import events, views
from read_api.contract.queries import EventQuery, HistoryQuery
from read_api.gateway.answers import Answer, json_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.rest.projects import PROJECT

operation = Operations("History")


@operation("GET", "/api/v1/events", "events.read", query=EventQuery, output=views.EventPage)
async def list_events(call: Call, query: EventQuery) -> Answer:
    """List events: all for administrators and auditors, those of visible projects for others.

    Analysts get the others without personal data, as the public topics have them.
    """
    return _answer(await events.list_events(call, query))


@operation("GET", PROJECT + "/history", "events.read", query=HistoryQuery, output=views.EventPage)
async def list_history(call: Call, query: HistoryQuery) -> Answer:
    """List a project's events; with `path`, those of that file."""
    return _answer(await events.list_history(call, call.path["project_id"], query))


def _answer(page: events.EventPage) -> Answer:
    token = page.position.token()
    body = {
        "items": [msgspec.Raw(event.json) for event in page.events],
        "nextCursor": page.next_cursor,
        "position": token,
    }
    return json_answer(body, headers={"CodePark-Position": token, "Cache-Control": "private, no-cache"})

"""`/projects/{id}/insights`."""

import msgspec

from read_api.contract.views import InsightsView
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.rest.projects import PROJECT

operation = Operations("Insights")


@operation("GET", PROJECT + "/insights", "project.read", output=InsightsView)
async def get_insights(call: Call) -> Answer:
    """Show what was measured of a project's files, and what to change."""
    project_id, actor = call.path["project_id"], call.actor
    found = await call.read(lambda q: q.insights.get(project_id, actor), project=project_id)
    return Answer(body=msgspec.json.encode(call.picked(found)))

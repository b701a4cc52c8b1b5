"""`/projects/{id}/insights`."""

from read_api.contract.views import InsightsView
from read_api.gateway.answers import Answer, json_answer, picked_fields
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.rest.projects import PROJECT

operation = Operations("Insights")


@operation("GET", PROJECT + "/insights", "project.read", output=InsightsView)
async def get_insights(call: Call) -> Answer:
    """Get the measurements of a project's files, and suggestions for changes.

    They are the last ones; with `CodePark-After` the answer waits for those that include that position.
    """
    project_id, actor = call.path["project_id"], call.actor
    insights = await call.read_insights(project_id, lambda q: q.insights.get(project_id, actor))
    return json_answer(picked_fields(call, insights))

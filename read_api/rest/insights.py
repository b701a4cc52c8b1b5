"""`/projects/{id}/insights`."""

from read_api.contract.past import ask
from read_api.contract.queries import AsOfQuery
from read_api.contract.views import InsightsView
from read_api.gateway.answers import Answer, json_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.rest.projects import PROJECT

operation = Operations("Insights")


@operation("GET", PROJECT + "/insights", "project.read", query=AsOfQuery, output=InsightsView)
async def get_insights(call: Call, query: AsOfQuery) -> Answer:
    """Get the measurements of a project's files, and suggestions for changes."""
    project_id, actor = call.path["project_id"], call.actor
    insights = await ask(
        call,
        project_id,
        query.as_of,
        lambda q: q.insights.get(project_id, actor),
        authored=True,
        insights=True,
    )
    return json_answer(insights)

"""`/projects/{id}/insights`."""

from projections.writes import Document
from read_api.contract.insight_views import InsightsView
from read_api.contract.past import past_answer
from read_api.contract.queries import AsOfQuery
from read_api.gateway.answers import Answer, json_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.query_services import Queries
from read_api.rest.projects import PROJECT

operation = Operations("Insights")


@operation("GET", PROJECT + "/insights", "project.read", query=AsOfQuery, output=InsightsView)
async def get_insights(call: Call, query: AsOfQuery) -> Answer:
    """Get the measurements of a project's files, and suggestions for changes.

    They are the last ones; with `CodePark-After` the answer waits for those that include that position.
    """
    project_id, actor = call.path["project_id"], call.actor

    def ask(queries: Queries) -> Document:
        return queries.insights.get(project_id, actor)

    if query.as_of is None:
        insights = await call.read_insights(project_id, ask)
    else:
        insights = await past_answer(call, project_id, query.as_of, ask, authored=True, insights=True)
    return json_answer(insights)

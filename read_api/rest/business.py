"""`/metrics/business`: figures of the business, for administrators."""

from read_api.contract.business import BusinessQuery, BusinessView, business_figures
from read_api.gateway.answers import Answer, json_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations

operation = Operations("System")


@operation("GET", "/api/v1/metrics/business", "business.read", query=BusinessQuery, output=BusinessView)
async def get_business_figures(call: Call, query: BusinessQuery) -> Answer:
    """Get how many people were active, and what they did, by day and month (administrators)."""
    return json_answer(await business_figures(call, query))

"""Reads of megabytes: one request of a caller after the other, a few at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from projections.budget import Budget, budgeted, current_budget
from read_api.contract.past import caller_of
from read_api.gateway.call import Call


@asynccontextmanager
async def large_read(call: Call) -> AsyncIterator[Budget]:
    """Wait until *call* may read megabytes within the block; yield the budget of its request.

    What was read may stay in memory until the request ends, so the next request of its caller waits until
    then. Raises OverBudgetError for a request that has read too much already.
    """
    request = current_budget()
    with nullcontext(request) if request is not None else budgeted() as budget:
        async with budget.turn(), call.api.page_turns.of(caller_of(call), budget):
            yield budget

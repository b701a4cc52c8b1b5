"""Find accounts: anybody by a whole handle, administrators by the beginning of a name or an address."""

from domain.errors import InvalidError, NotFoundError
from domain.policy import permit
from projections.queries.page import Page
from projections.writes import Document
from read_api.contract.queries import AccountListQuery
from read_api.gateway.call import Call


async def list_accounts(call: Call, query: AccountListQuery) -> Page:
    """Return a page of accounts; raises ForbiddenError where the caller may not list them."""
    actor = call.actor
    if query.name is not None:
        if query.search is not None:
            raise InvalidError("write name or search, not both", pointer="search")
        account = await account_named(call, query.name)
        return Page(items=[] if account is None else [account], next_cursor=None)
    permit(actor, "account.administer")
    return await call.read(lambda q: q.accounts.page(query.page(), query.search))


async def account_named(call: Call, name: str) -> Document | None:
    """Return the account with this handle as the caller sees it, None where there is none."""
    if call.after is not None:  # a position that is none is refused, also where nobody has the name
        await call.api.consistency.required(call.after)
    account_id, actor = call.api.intake.account_named(name), call.actor
    if account_id is None:
        return None
    try:
        return await call.read(lambda q: q.accounts.get(account_id, actor), account=account_id)
    except NotFoundError:  # it was erased
        return None

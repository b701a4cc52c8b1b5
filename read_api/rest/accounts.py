"""`/accounts/{id}`: other people's accounts, and what administrators change about them."""

from msgspec import UNSET

from commands.outcomes import Accepted
from commands.table.accounts import StandingPatch
from domain.account.commands import ChangeStanding
from domain.credentials.commands import RevokeSessions
from read_api.contract.accounts import list_accounts
from read_api.contract.changed_resource import read_changed
from read_api.contract.queries import AccountListQuery
from read_api.contract.views import AccountView, ListOf
from read_api.gateway.answers import Answer, command_answer, document_answer, page_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.rest.changes import execute_on

ACCOUNTS = "/api/v1/accounts"
ACCOUNT = ACCOUNTS + "/{account_id:str}"

operation = Operations("Accounts")


@operation("GET", ACCOUNTS, "account.read", query=AccountListQuery, output=ListOf[AccountView])
async def list_all_accounts(call: Call, query: AccountListQuery) -> Answer:
    """Find an account by its handle: `?name=`. Administrators list all, or search with `?search=`."""
    return page_answer(call, ACCOUNTS, await list_accounts(call, query), query.fields)


@operation("GET", ACCOUNT, "account.read", output=AccountView, conditional=True)
async def get_account(call: Call) -> Answer:
    """Get an account."""
    account_id, actor = call.path["account_id"], call.actor
    return document_answer(
        call, await call.read(lambda q: q.accounts.get(account_id, actor), account=account_id)
    )


@operation(
    "PATCH",
    ACCOUNT,
    "account.change_standing",
    input=StandingPatch,
    output=AccountView,
    patch=True,
    command=True,
)
async def patch_account(call: Call, data: StandingPatch) -> Answer:
    """Change an account's roles or tier (administrators)."""
    account_id = call.path["account_id"]
    command = ChangeStanding(
        account_id=account_id,
        roles=None if data.roles is UNSET else data.roles,
        tier=None if data.tier is UNSET else data.tier,
    )
    accepted = await call.execute_command(command, (account_id, data))
    return await account_answer(call, account_id, accepted)


@operation(
    "DELETE",
    ACCOUNT + "/sessions",
    "account.administer",
    command_type="credentials.revoke_sessions",
    status=204,
    command=True,
)
async def revoke_account_sessions(call: Call) -> Answer:
    """End every session and API token of an account (administrators)."""
    command = RevokeSessions(account_id=call.path["account_id"], kept_session=None, revoke_tokens=True)
    return command_answer(call, await execute_on(call, command, command.account_id))


async def account_answer(call: Call, account_id: str, accepted: Accepted) -> Answer:
    """Answer with the account that a command changed."""
    account = await read_changed(call, accepted, lambda q: q.accounts.get_own(account_id))
    return command_answer(call, accepted, account)

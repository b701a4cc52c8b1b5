"""`/accounts/{id}`: others, and what administrators do with them."""

import msgspec
from msgspec import UNSET

from commands.outcomes import Accepted
from commands.table import accounts as inputs
from domain.account.commands import ChangeStanding
from domain.credentials.commands import RevokeSessions
from read_api.contract.views import AccountView
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations

ACCOUNTS = "/api/v1/accounts"

operation = Operations("Accounts")


@operation("GET", ACCOUNTS + "/{account_id:str}", "account.read", output=AccountView, conditional=True)
async def get_account(call: Call) -> Answer:
    """Show an account."""
    account_id, actor = call.path["account_id"], call.actor
    found = await call.read(lambda q: q.accounts.get(account_id, actor))
    return call.shown(found, found["version"])


@operation(
    "PATCH",
    ACCOUNTS + "/{account_id:str}",
    "account.change_standing",
    input=inputs.StandingPatch,
    output=AccountView,
    patch=True,
    command=True,
)
async def patch_account(call: Call, data: inputs.StandingPatch) -> Answer:
    """Give an account other roles or another tier (administrators)."""
    account_id = call.path["account_id"]
    command = ChangeStanding(
        account_id=account_id,
        roles=None if data.roles is UNSET else data.roles,
        tier=None if data.tier is UNSET else data.tier,
    )
    submission = call.api.intake.submit(command, (account_id, data), call.request())
    return await changed_account(call, account_id, await call.carry_out(submission))


@operation("DELETE", ACCOUNTS + "/{account_id:str}/sessions", "account.administer", status=204, command=True)
async def revoke_account_sessions(call: Call) -> Answer:
    """End every session of an account (administrators)."""
    command = RevokeSessions(account_id=call.path["account_id"], kept_session=None)
    done = await call.submit(command)
    return Answer(status=204, headers=call.command_headers(done))


async def changed_account(call: Call, account_id: str, done: Accepted) -> Answer:
    """Answer with the account as the command left it."""
    found = await call.read(lambda q: q.accounts.get_own(account_id), at=done)
    headers = call.command_headers(done)
    return Answer(body=msgspec.json.encode(found), headers=headers)

"""`/auth/register`, `/auth/login`, `/me`, `/accounts/{id}` and the signing key."""

import msgspec
from msgspec import UNSET
from uuid_utils import uuid7

from commands.intake import inputs
from commands.intake.builders import created_id
from commands.outcomes import Accepted
from domain.account.commands import ChangeProfile, ChangeStanding, RegisterAccount
from domain.account.events import AccountRegistered, AccountStandingChanged
from domain.identifiers import account_stream
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.gateway.tokens import ACCESS_SECONDS, unauthorized
from read_api.rest.views import AccountView, TokensView

ACCOUNTS = "/api/v1/accounts"

operation = Operations("Accounts")


@operation(
    "POST",
    "/api/v1/auth/register",
    "account.register",
    input=inputs.RegisterInput,
    output=AccountView,
    status=201,
    command=True,
)
async def register(call: Call, data: inputs.RegisterInput) -> Answer:
    """Open an account."""
    intake, request = call.api.intake, call.request()
    account_id = str(uuid7()) if request.key is None else created_id(request.actor.id, "account", request.key)
    command = RegisterAccount(
        account_id=account_id,
        email=data.email,
        name=data.name,
        password_hash=await call.api.passwords.hash(data.password),
        email_claim=intake.claim("email", data.email),
        name_claim=intake.claim("name", data.name),
    )
    done = await call.carry_out(intake.submit(command, data, request))
    found = await call.read(lambda q: q.accounts.get_own(account_id), at=done)
    headers = {**call.command_headers(done), "Location": f"{ACCOUNTS}/{account_id}"}
    return Answer(status=201, body=msgspec.json.encode(found), headers=headers)


@operation(
    "POST", "/api/v1/auth/login", "session.open", input=inputs.LoginInput, output=TokensView, statuses=(401,)
)
async def login(call: Call, data: inputs.LoginInput) -> Answer:
    """Get an access token for an e-mail address and a password."""
    log, intake = call.api.logs.accounts, call.api.intake
    account_id = intake.account_with_email(data.email)
    events = (
        [] if account_id is None else [item.event for item in log.stream_events(account_stream(account_id))]
    )
    registered = next((event for event in events if isinstance(event, AccountRegistered)), None)
    hashed = None if registered is None else registered.password_hash
    if not await call.api.passwords.verify(hashed, data.password) or registered is None:
        raise unauthorized("the e-mail address or the password is wrong", "invalid_credentials")
    standing = next((e for e in reversed(events) if isinstance(e, AccountStandingChanged)), registered)
    token = call.api.tokens.issue(
        registered.account_id, frozenset(standing.roles), email=data.email, tier=standing.tier
    )
    body = TokensView(access_token=token, token_type="Bearer", expires_in=ACCESS_SECONDS)  # noqa: S106 # a type
    return Answer(body=msgspec.json.encode(body), headers={"Cache-Control": "no-store"})


@operation("GET", "/api/v1/me", "account.read_own", output=AccountView, conditional=True)
async def get_me(call: Call) -> Answer:
    """Show your own account."""
    actor = call.signed_in()
    found = await call.read(lambda q: q.accounts.get(actor.id, actor))
    return call.shown(found, found["version"])


@operation(
    "PATCH",
    "/api/v1/me",
    "account.change_profile",
    input=inputs.ProfilePatch,
    output=AccountView,
    patch=True,
    command=True,
)
async def patch_me(call: Call, data: inputs.ProfilePatch) -> Answer:
    """Change your e-mail address or your name."""
    actor, intake = call.signed_in(), call.api.intake
    email = None if data.email is UNSET else data.email
    name = None if data.name is UNSET else data.name
    command = ChangeProfile(
        account_id=actor.id,
        email=email,
        name=name,
        email_claim=None if email is None else intake.claim("email", email),
        name_claim=None if name is None else intake.claim("name", name),
    )
    return await _changed(call, actor.id, await call.carry_out(intake.submit(command, data, call.request())))


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
    return await _changed(call, account_id, await call.carry_out(submission))


@operation("GET", "/.well-known/jwks.json", "system.read")
async def jwks(call: Call) -> Answer:
    """Show the public key that access tokens are checked with."""
    headers = {"Cache-Control": "public, max-age=300"}
    return Answer(body=msgspec.json.encode(call.api.tokens.jwks()), headers=headers)


async def _changed(call: Call, account_id: str, done: Accepted) -> Answer:
    found = await call.read(lambda q: q.accounts.get_own(account_id), at=done)
    headers = call.command_headers(done)
    return Answer(body=msgspec.json.encode(found), headers=headers)

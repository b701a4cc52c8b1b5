"""`/me`: your own account, your sessions, your API tokens, your password."""

import msgspec
from msgspec import UNSET

from commands.intake import created_id
from commands.table.accounts import ProfilePatch
from commands.table.credentials import PasswordInput
from commands.table.tokens import TokenInput
from domain.account.commands import ChangeProfile, EraseAccount
from domain.credentials.commands import RevokeSessions
from domain.session.events import EndReason
from domain.token.commands import CreateToken, RevokeToken
from projections.queries.page import Page
from read_api.auth.identity import now_ms
from read_api.auth.password_change import set_password
from read_api.auth.sessions import end_session
from read_api.auth.tokens import unauthorized
from read_api.contract.lists import ListQuery, listed
from read_api.contract.views import AccountView, ListOf, SessionView, TokenView
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.rest.accounts import changed_account

ME = "/api/v1/me"
SESSIONS = ME + "/sessions"
TOKENS = ME + "/tokens"
_DAY_MS = 24 * 3600 * 1000

operation = Operations("Your account")


@operation("GET", ME, "account.read_own", output=AccountView, conditional=True)
async def get_me(call: Call) -> Answer:
    """Show your own account."""
    actor = call.signed_in()
    found = await call.read(lambda q: q.accounts.get(actor.id, actor))
    return call.shown(found, found["version"])


@operation(
    "PATCH",
    ME,
    "account.change_profile",
    input=ProfilePatch,
    output=AccountView,
    patch=True,
    command=True,
)
async def patch_me(call: Call, data: ProfilePatch) -> Answer:
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
    if email is not None:
        call.signed_in_anew()
    before = call.api.identity.email(actor.id)
    done = await call.carry_out(intake.submit(command, data, call.request()))
    if email is not None and email != before and done.changed and not done.replayed:
        # To the old address: who took an account over has the new one.
        text = "Your account got another e-mail address."
        call.api.identity.notify_at(actor.id, before, "Your address was changed", text)
    return await changed_account(call, actor.id, done)


@operation("DELETE", ME, "account.erase", status=204, also=(202,), command=True)
async def erase_me(call: Call) -> Answer:
    """Erase yourself: the account ends, and your personal data can be read nowhere any more."""
    actor = call.signed_in_anew()
    emails = call.api.identity.emails(actor.id)
    authors = await call.read(lambda q: q.traces.authors(actor.id, emails))
    command = EraseAccount(account_id=actor.id, authors=tuple(authors))
    done = await call.submit(command)
    status = 204 if await call.api.erased(actor.id) else 202  # it goes on, whatever dies
    return Answer(status=status, headers=call.command_headers(done))


@operation("GET", SESSIONS, "account.secure", query=ListQuery, output=ListOf[SessionView])
async def list_sessions(call: Call, query: ListQuery) -> Answer:
    """List where you are signed in, the newest first."""
    actor, principals = call.signed_in(), call.api.identity.principals
    page = await call.read(lambda q: q.security.sessions(query.page(), actor))
    items = [
        {**item, "current": item["id"] == call.session}
        for item in page.items
        if principals.lives(item["id"], principals.session(item["id"]))
    ]
    return listed(call, SESSIONS, Page(items=items, next_cursor=page.next_cursor), query.fields)


class KeepQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether the session of this request stays."""

    keep_current: bool = False


@operation("DELETE", SESSIONS, "credentials.revoke_sessions", query=KeepQuery, status=204, command=True)
async def revoke_sessions(call: Call, query: KeepQuery) -> Answer:
    """End every session of yours; with `keepCurrent`, every other one."""
    actor = call.signed_in_anew()
    kept = call.session if query.keep_current else None
    command = RevokeSessions(account_id=actor.id, kept_session=kept)
    done = await call.submit(command)
    return Answer(status=204, headers=call.command_headers(done))


@operation("DELETE", SESSIONS + "/{session_id:str}", "account.secure", status=204, statuses=(403, 404))
async def revoke_session(call: Call) -> Answer:
    """End one session."""
    actor = call.signed_in_anew()
    await end_session(call, actor.id, call.path["session_id"], EndReason.REVOKED, actor)
    return Answer(status=204, headers=call.settled_headers())


@operation("GET", TOKENS, "account.secure", query=ListQuery, output=ListOf[TokenView])
async def list_tokens(call: Call, query: ListQuery) -> Answer:
    """List your tokens for services, the newest first; the tokens themselves are not shown again."""
    actor = call.signed_in()
    page = await call.read(lambda q: q.security.tokens(query.page(), actor))
    return listed(call, TOKENS, page, query.fields)


@operation("POST", TOKENS, "token.create", input=TokenInput, output=TokenView, status=201, command=True)
async def create_token(call: Call, data: TokenInput) -> Answer:
    """Make a token for a service. It is shown this once: keep it."""
    actor, request, principals = call.signed_in_anew(), call.request(), call.api.identity.principals
    token_id = created_id(actor.id, "token", request.key or call.new_id())
    token, token_hash = principals.api_token(token_id)
    command = CreateToken(
        token_id=token_id,
        account_id=actor.id,
        name=data.name,
        token_hash=token_hash,
        scopes=data.scopes,
        expires_at=now_ms() + data.days * _DAY_MS,
    )
    done = await call.carry_out(call.api.intake.submit(command, data, request))
    found = await call.read(lambda q: q.security.token(token_id, actor), at=done)
    headers = {**call.command_headers(done), "Location": f"{TOKENS}/{token_id}", "Cache-Control": "no-store"}
    return Answer(status=201, body=msgspec.json.encode({**found, "token": token}), headers=headers)


@operation("DELETE", TOKENS + "/{token_id:str}", "token.revoke", status=204, command=True)
async def revoke_token(call: Call) -> Answer:
    """Let a token be good no more."""
    command = RevokeToken(token_id=call.path["token_id"], account_id=call.signed_in().id)
    done = await call.submit(command)
    return Answer(status=204, headers=call.command_headers(done))


@operation(
    "PUT",
    ME + "/password",
    "credentials.change_password",
    input=PasswordInput,
    status=204,
    statuses=(401, 429),
)
async def change_password(call: Call, data: PasswordInput) -> Answer:
    """Change your password; every other session ends."""
    identity, actor = call.api.identity, call.signed_in()
    account = identity.principals.account(actor.id)
    credentials = identity.principals.credentials(actor.id)
    async with identity.guarded(f"password:{actor.id}"):
        hashed = credentials.password_of(account) or None
        if not await identity.passwords.verify(hashed, data.current_password):
            raise unauthorized("the current password is wrong", "invalid_credentials")
        await set_password(
            call,
            actor,
            data.new_password,
            epoch=credentials.epoch,
            kept=call.session,
            pointer="/newPassword",
        )
    return Answer(status=204, headers=call.settled_headers())

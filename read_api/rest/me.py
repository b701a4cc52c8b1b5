"""`/me`: your own account, your sessions, your API tokens, your password."""

import msgspec
from msgspec import UNSET
from uuid_utils import uuid7

from commands.intake import created_id
from commands.table.accounts import ProfilePatch
from commands.table.credentials import PasswordInput
from commands.table.tokens import TokenInput
from domain.account.commands import ChangeProfile, EraseAccount
from domain.credentials.commands import RevokeSessions
from domain.session.events import EndReason
from domain.token.commands import CreateToken, RevokeToken
from jobs import notices
from read_api.auth.identity import now_ms
from read_api.auth.password_change import set_password
from read_api.auth.sessions import end_session
from read_api.auth.tokens import unauthorized
from read_api.auth.verification import mail_verification, require_unclaimed
from read_api.contract.changed_resource import read_changed
from read_api.contract.queries import ListQuery
from read_api.contract.quotas import own_account
from read_api.contract.sign_in_views import SessionView, TokenView
from read_api.contract.views import AccountView, ListOf
from read_api.gateway.answers import Answer, command_answer, command_headers, document_answer, page_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.rest.accounts import account_answer
from read_api.rest.changes import execute_on

ME = "/api/v1/me"
SESSIONS = ME + "/sessions"
TOKENS = ME + "/tokens"
_DAY_MS = 24 * 3600 * 1000

operation = Operations("Your account")


@operation("GET", ME, "account.read_own", output=AccountView, conditional=True)
async def get_me(call: Call) -> Answer:
    """Get your own account, with what it owns and may own."""
    return document_answer(call, await own_account(call, call.caller.signed_in()), composed=True)


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
    actor, intake, identity = call.caller.signed_in(), call.api.intake, call.identity
    email = None if data.email is UNSET else data.email
    name = None if data.name is UNSET else data.name
    command = ChangeProfile(
        account_id=actor.id,
        email=email,
        name=name,
        email_claim=None if email is None else intake.claim("email", email),
        name_claim=None if name is None else intake.claim("name", name),
        verified=not identity.verifies,
    )
    if email is not None:
        call.caller.signed_in_recently()
        if command.email_claim != identity.principals.account(actor.id).email_claim:
            # A mail goes to the new address, and a refusal tells that somebody has it.
            await identity.allow(f"verify:{actor.id}", guards=False)
        require_unclaimed(identity, intake, email, actor.id)
    before = identity.email(actor.id)
    accepted = await call.execute_command(command, data)
    if email is not None and email != before and accepted.changed and not accepted.replayed:
        # To the old address: somebody who took the account over has the new one.
        identity.notify_at(actor.id, before, notices.ADDRESS_CHANGED)
        mail_verification(identity, actor.id, email, intake.claim("email", email))
    return await account_answer(call, actor.id, accepted)


@operation("DELETE", ME, "account.erase", status=204, also=(202,), command=True)
async def erase_me(call: Call) -> Answer:
    """Erase your account: it ends, and your personal data can no longer be read anywhere."""
    actor = call.caller.signed_in_recently()
    emails = call.identity.emails(actor.id)
    authors = await call.read(lambda q: q.traces.authors(actor.id, emails))
    accepted = await call.execute_command(EraseAccount(account_id=actor.id, authors=tuple(authors)))
    status = 204 if await call.api.erased(actor.id) else 202  # 202: it is completed even after a crash
    return Answer(status=status, headers=command_headers(call, accepted))


@operation("GET", SESSIONS, "account.secure", query=ListQuery, output=ListOf[SessionView])
async def list_sessions(call: Call, query: ListQuery) -> Answer:
    """List your sessions, the newest first."""
    actor, principals = call.caller.signed_in(), call.identity.principals
    page = await call.read(lambda q: q.security.sessions(query.page(), actor))
    sessions = [
        {**session, "current": session["id"] == call.caller.session}
        for session in page.items
        if principals.lives(session["id"], principals.session(session["id"]))
    ]
    return page_answer(call, SESSIONS, page.with_items(sessions), query.fields)


class KeepQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether the session of this request is kept."""

    keep_current: bool = False


@operation("DELETE", SESSIONS, "credentials.revoke_sessions", query=KeepQuery, status=204, command=True)
async def revoke_sessions(call: Call, query: KeepQuery) -> Answer:
    """End all of your sessions and API tokens; with `keepCurrent`, all but this session."""
    actor = call.caller.signed_in_recently()
    kept = call.caller.session if query.keep_current else None
    command = RevokeSessions(account_id=actor.id, kept_session=kept, revoke_tokens=True)
    return command_answer(call, await execute_on(call, command, query.keep_current))


@operation("DELETE", SESSIONS + "/{session_id:str}", "account.secure", status=204, statuses=(403, 404))
async def revoke_session(call: Call) -> Answer:
    """End one of your sessions."""
    actor = call.caller.signed_in_recently()
    await end_session(call, actor.id, call.path["session_id"], EndReason.REVOKED, actor)
    return Answer(status=204, headers=call.position_header())


@operation("GET", TOKENS, "account.secure", query=ListQuery, output=ListOf[TokenView])
async def list_tokens(call: Call, query: ListQuery) -> Answer:
    """List your API tokens, the newest first; the tokens themselves are not shown again."""
    actor = call.caller.signed_in()
    page = await call.read(lambda q: q.security.tokens(query.page(), actor))
    tokens = [token for token in page.items if call.identity.principals.keeps_token(token["id"])]
    return page_answer(call, TOKENS, page.with_items(tokens), query.fields)


@operation("POST", TOKENS, "token.create", input=TokenInput, output=TokenView, status=201, command=True)
async def create_token(call: Call, data: TokenInput) -> Answer:
    """Create an API token. It is shown only this once."""
    actor, key = call.caller.signed_in_recently(), call.command_metadata().key
    epoch = call.identity.principals.credentials(actor.id).epoch
    if not call.caller.is_still_authorized():  # otherwise a token might outlive the end of all of them
        raise unauthorized("the session has ended: sign in again", "invalid_token")
    token_id = created_id(actor.id, "token", key or str(uuid7()))
    token, token_hash = call.identity.principals.api_token(token_id)
    command = CreateToken(
        token_id=token_id,
        account_id=actor.id,
        name=data.name,
        token_hash=token_hash,
        scopes=data.scopes,
        expires_at=now_ms() + data.days * _DAY_MS,
        epoch=epoch,
    )
    accepted = await call.execute_command(command, data)
    if not accepted.replayed:
        call.identity.notify(actor.id, notices.token_created(token_id, data.name))
    document = await read_changed(call, accepted, lambda q: q.security.token(token_id, actor))
    location = f"{TOKENS}/{token_id}"
    answer = command_answer(call, accepted, {**document, "token": token}, status=201, location=location)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@operation("DELETE", TOKENS + "/{token_id:str}", "token.revoke", status=204, command=True)
async def revoke_token(call: Call) -> Answer:
    """Revoke an API token."""
    command = RevokeToken(token_id=call.path["token_id"], account_id=call.caller.signed_in().id)
    return command_answer(call, await execute_on(call, command, command.token_id))


@operation(
    "PUT",
    ME + "/password",
    "credentials.change_password",
    input=PasswordInput,
    status=204,
    statuses=(401, 429),
)
async def change_password(call: Call, data: PasswordInput) -> Answer:
    """Change your password; every other session ends, and with `revokeTokens` every API token too."""
    identity, actor = call.identity, call.caller.signed_in()
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
            kept=call.caller.session,
            revoke_tokens=data.revoke_tokens,
            pointer="/newPassword",
        )
    return Answer(status=204, headers=call.position_header())

"""`/auth/*`: open an account, sign in and out, second factors, forgotten passwords; and the signing keys."""

import msgspec
from uuid_utils import uuid7

from commands.intake import created_id
from commands.table.accounts import RegisterInput
from commands.table.credentials import CodeInput, ForgottenInput, ResetInput
from commands.table.fields import NoInput
from commands.table.sessions import LoginInput, MfaInput, RefreshInput
from domain.account.commands import RegisterAccount
from domain.actor import Actor
from domain.credentials.commands import (
    DisableTotp,
    EnableTotp,
    PrepareTotp,
    RehashPassword,
    UseRecoveryCode,
    UseTotp,
)
from domain.errors import ConflictError, ForbiddenError
from domain.session.events import EndReason
from read_api.auth import second_factor
from read_api.auth.common_passwords import check_password
from read_api.auth.identity import Identity
from read_api.auth.mail import Mail
from read_api.auth.password_change import set_password
from read_api.auth.sessions import (
    SessionTokens,
    end_session,
    new_session_id,
    open_session,
    refresh_session,
)
from read_api.auth.tokens import TokenKind, unauthorized
from read_api.contract.views import AccountView, LoginView, MfaSetupView, RecoveryCodesView, TokensView
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.gateway.problems import HttpError

AUTH = "/api/v1/auth"
ACCOUNTS = "/api/v1/accounts"
_MFA_TRIES = 5
_SEALED = "totp"
_SECRET = {"Cache-Control": "no-store"}

operation = Operations("Signing in")


@operation(
    "POST",
    AUTH + "/register",
    "account.register",
    input=RegisterInput,
    output=AccountView,
    status=201,
    command=True,
)
async def register(call: Call, data: RegisterInput) -> Answer:
    """Open an account."""
    intake, request = call.api.intake, call.request()
    check_password(data.password, email=data.email, name=data.name)
    account_id = str(uuid7()) if request.key is None else created_id(request.actor.id, "account", request.key)
    command = RegisterAccount(
        account_id=account_id,
        email=data.email,
        name=data.name,
        password_hash=await call.api.identity.passwords.hash(data.password),
        email_claim=intake.claim("email", data.email),
        name_claim=intake.claim("name", data.name),
    )
    done = await call.carry_out(intake.submit(command, data, request))
    found = await call.read(lambda q: q.accounts.get_own(account_id), at=done)
    headers = {**call.command_headers(done), "Location": f"{ACCOUNTS}/{account_id}"}
    return Answer(status=201, body=msgspec.json.encode(found), headers=headers)


@operation("POST", AUTH + "/login", "session.open", input=LoginInput, output=LoginView, statuses=(401, 429))
async def login(call: Call, data: LoginInput) -> Answer:
    """Sign in with an e-mail address and a password."""
    identity, intake = call.api.identity, call.api.intake
    claim = intake.claim("email", data.email)
    known = await identity.knows_address(claim, call.address)
    if not known:
        await call.api.limits.account(call, claim)
    tried = await identity.allow_sign_in(claim, call.address, known=known)
    account_id = intake.account_with_email(data.email) or ""
    epoch = identity.principals.credentials(account_id).epoch  # before: a password may change meanwhile
    await _check_password(call, account_id, data.password, "invalid_credentials")
    session_id = new_session_id()
    if identity.principals.credentials(account_id).totp_secret is not None:
        body = {"mfaRequired": True, "mfaToken": identity.tokens.issue_mfa(account_id, session_id, epoch)}
        return Answer(body=msgspec.json.encode(body), headers={**_SECRET, **call.settled_headers()})
    tokens = await open_session(call, account_id, session_id, epoch, second_factor=False)
    await identity.signed_in(claim, call.address, tried)
    return _tokens(call, tokens)


async def _check_password(call: Call, account_id: str, password: str, code: str) -> None:
    """Refuse a wrong password with 401; an account that is not there takes as long. Hashes anew what is out of date."""
    identity = call.api.identity
    account = identity.principals.account(account_id)
    hashed = identity.principals.credentials(account_id).password_of(account) if account.exists else None
    if not await identity.passwords.verify(hashed, password) or hashed is None:
        raise unauthorized("the e-mail address or the password is wrong", code)
    if identity.passwords.is_outdated(hashed):
        anew = await identity.passwords.hash(password)
        command = RehashPassword(account_id=account_id, replaced=hashed, password_hash=anew)
        await call.settle(command, Actor(id=account_id))


@operation(
    "POST",
    AUTH + "/mfa/setup",
    "credentials.prepare_totp",
    input=NoInput,
    output=MfaSetupView,
    optional_body=True,
    statuses=(409,),
)
async def mfa_setup(call: Call, _: NoInput) -> Answer:
    """Get a secret for one-time passwords; it counts once it is enabled."""
    identity, actor = call.api.identity, call.signed_in_anew()
    secret = second_factor.new_secret()
    sealed = identity.secrets.seal(_SEALED, actor.id, secret)
    await call.settle(PrepareTotp(account_id=actor.id, secret=sealed), actor)
    url = second_factor.otpauth_url(secret, identity.email(actor.id))
    body = MfaSetupView(secret=secret, otpauth_url=url, qr_code=second_factor.qr_code(url))
    return Answer(body=msgspec.json.encode(body), headers={**_SECRET, **call.settled_headers()})


@operation(
    "POST",
    AUTH + "/mfa/enable",
    "credentials.enable_totp",
    input=CodeInput,
    output=RecoveryCodesView,
    statuses=(401, 409, 429),
)
async def mfa_enable(call: Call, data: CodeInput) -> Answer:
    """Ask for one-time passwords from now on; a first one proves that the program has the secret."""
    identity, actor = call.api.identity, call.signed_in()
    codes = second_factor.new_recovery_codes()
    async with identity.guarded(f"code:{actor.id}"):
        prepared = identity.principals.credentials(actor.id).totp_prepared
        if prepared is None:
            raise ConflictError("ask for a secret first", code="mfa_not_prepared")
        step = _step(identity, actor.id, prepared, data.code)
        if step is None:
            raise _wrong_code()
        hashes = second_factor.hashed(codes, identity.secrets.keyed_hash, actor.id)
        await call.settle(
            EnableTotp(account_id=actor.id, secret=prepared, step=step, recovery_hashes=hashes), actor
        )
    identity.notify(
        actor.id, "One-time passwords are on", "Signing in takes a one-time password from now on."
    )
    body = RecoveryCodesView(recovery_codes=codes)
    return Answer(body=msgspec.json.encode(body), headers={**_SECRET, **call.settled_headers()})


@operation(
    "POST",
    AUTH + "/mfa/verify",
    "session.open",
    input=MfaInput,
    output=TokensView,
    statuses=(401, 409, 429),
)
async def mfa_verify(call: Call, data: MfaInput) -> Answer:
    """Complete a login with a one-time password or a recovery code."""
    identity, intake = call.api.identity, call.api.intake
    claims = identity.tokens.read(data.mfa_token, TokenKind.MFA)
    account_id, session_id = claims.subject, claims.session or ""
    await identity.allow(f"mfa:{session_id}", most=_MFA_TRIES)
    await identity.allow(f"code:{account_id}")
    await _use_code(call, Actor(id=account_id), data.code)
    tokens = await open_session(call, account_id, session_id, claims.epoch or 0, second_factor=True)
    claim = intake.claim("email", identity.email(account_id))
    await identity.signed_in(claim, call.address, f"code:{account_id}", f"account:{claim}")
    return _tokens(call, tokens)


@operation(
    "POST",
    AUTH + "/mfa/disable",
    "credentials.disable_totp",
    input=CodeInput,
    status=204,
    statuses=(401, 409, 429),
)
async def mfa_disable(call: Call, data: CodeInput) -> Answer:
    """Ask for no one-time passwords any more; a last one, or a recovery code, proves that it is you."""
    identity, actor = call.api.identity, call.signed_in()
    async with identity.guarded(f"code:{actor.id}"):
        await _use_code(call, actor, data.code)
        await call.settle(DisableTotp(account_id=actor.id), actor)
    identity.notify(actor.id, "One-time passwords are off", "Signing in takes no one-time password any more.")
    return Answer(status=204, headers=call.settled_headers())


async def _use_code(call: Call, actor: Actor, code: str) -> None:
    """Use a one-time password or a recovery code; raises HttpError 401 where it is wrong or was used."""
    identity = call.api.identity
    credentials = identity.principals.credentials(actor.id)
    if credentials.totp_secret is None:
        raise ConflictError("one-time passwords are not enabled", code="mfa_not_enabled")
    command: UseTotp | UseRecoveryCode
    if second_factor.is_recovery_code(code):
        (code_hash,) = second_factor.hashed([code], identity.secrets.keyed_hash, actor.id)
        command = UseRecoveryCode(account_id=actor.id, code_hash=code_hash)
    else:
        step = _step(identity, actor.id, credentials.totp_secret, code)
        if step is None:
            raise _wrong_code()
        command = UseTotp(account_id=actor.id, step=step)
    try:
        await call.settle(command, actor)
    except ForbiddenError as error:
        raise _wrong_code() from error


def _step(identity: Identity, account_id: str, sealed: str, code: str) -> int | None:
    secret = identity.secrets.unseal(_SEALED, account_id, sealed)
    return second_factor.matching_step(secret, code, identity.clock())


def _wrong_code() -> HttpError:
    return unauthorized("the code is wrong, out of date, or was used already", "invalid_code")


@operation(
    "POST",
    AUTH + "/refresh",
    "session.refresh",
    input=RefreshInput,
    output=TokensView,
    statuses=(401,),
)
async def refresh(call: Call, data: RefreshInput) -> Answer:
    """Exchange a refresh token for new tokens; each is good once, and a second use ends the session."""
    return _tokens(call, await refresh_session(call, data.refresh_token))


@operation("POST", AUTH + "/logout", "session.end", input=RefreshInput, status=204, statuses=(401,))
async def logout(call: Call, data: RefreshInput) -> Answer:
    """End the session of a refresh token."""
    claims = call.api.identity.tokens.read(data.refresh_token, TokenKind.REFRESH)
    await end_session(call, claims.subject, claims.session or "", EndReason.LOGOUT, Actor(id=claims.subject))
    return Answer(status=204, headers=call.settled_headers())


@operation(
    "POST",
    AUTH + "/password/forgot",
    "password.reset",
    input=ForgottenInput,
    status=204,
    statuses=(429,),
)
async def forgot_password(call: Call, data: ForgottenInput) -> Answer:
    """Have a link to set the password anew sent by mail; the answer is the same where there is no such account."""
    identity, intake = call.api.identity, call.api.intake
    claim = intake.claim("email", data.email)
    await call.api.limits.account(call, f"forgot:{claim}")
    await identity.allow(f"forgot:{claim}")
    identity.run_after_answer(_send_reset(identity, intake.account_with_email(data.email)))
    return Answer(status=204, headers=call.settled_headers())


async def _send_reset(identity: Identity, account_id: str | None) -> None:
    if account_id is None:
        identity.tokens.issue_reset("nobody", 0)  # about as long as for an account
        return
    token = identity.tokens.issue_reset(account_id, identity.principals.credentials(account_id).epoch)
    text = (
        "Somebody, probably you, asked to set the password of your CodePark account anew. Within half an hour, send "
        f"this token with the new password to {identity.public_url}{AUTH}/password/reset:\n\n{token}\n\n"
        "If it was not you, do nothing: the password stays as it is."
    )
    await identity.mailer.send(
        Mail(
            to=identity.email(account_id), account_id=account_id, subject="Set your password anew", text=text
        )
    )


@operation(
    "POST",
    AUTH + "/password/reset",
    "password.reset",
    input=ResetInput,
    status=204,
    statuses=(401, 403),
)
async def reset_password(call: Call, data: ResetInput) -> Answer:
    """Set the password anew with what came by mail; every session ends."""
    identity = call.api.identity
    claims = identity.tokens.read(data.token, TokenKind.RESET)
    await set_password(
        call,
        Actor(id=claims.subject, roles=frozenset(identity.principals.account(claims.subject).roles)),
        data.password,
        epoch=claims.epoch,
    )
    claim = call.api.intake.claim("email", identity.email(claims.subject))
    await identity.signed_in(claim, call.address, f"account:{claim}", f"forgot:{claim}")
    return Answer(status=204, headers=call.settled_headers())


@operation("GET", "/.well-known/jwks.json", "system.read")
async def jwks(call: Call) -> Answer:
    """Show the public keys that tokens are checked with."""
    headers = {"Cache-Control": "public, max-age=300"}
    return Answer(body=msgspec.json.encode(call.api.identity.tokens.keys.jwks()), headers=headers)


def _tokens(call: Call, tokens: SessionTokens) -> Answer:
    return Answer(body=msgspec.json.encode(tokens), headers={**_SECRET, **call.settled_headers()})

"""`/auth/mfa/*`: one-time passwords and recovery codes."""

from commands.table.credentials import CodeInput
from commands.table.fields import NoInput
from commands.table.sessions import MfaInput
from domain.actor import Actor
from domain.credentials.commands import DisableTotp, EnableTotp, PrepareTotp, UseRecoveryCode, UseTotp
from domain.errors import ConflictError, ForbiddenError
from jobs import notices
from read_api.auth import second_factor
from read_api.auth.identity import Identity
from read_api.auth.sessions import open_session
from read_api.auth.tokens import TokenKind, unauthorized
from read_api.contract.sign_in_views import MfaSetupView, RecoveryCodesView, TokensView
from read_api.gateway.answers import Answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.problems import HttpError
from read_api.rest.auth import AUTH, secret_answer

_MFA_TRIES = 5
_SECRET_NAME = "totp"  # noqa: S105 # the name under which secrets are sealed

operation = Operations("Signing in")


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
    """Get a secret for one-time passwords; it takes effect when it is enabled."""
    identity, actor = call.identity, call.caller.signed_in_recently()
    secret = second_factor.new_secret()
    sealed = identity.secrets.seal(_SECRET_NAME, actor.id, secret)
    await call.execute_and_wait(PrepareTotp(account_id=actor.id, secret=sealed), actor)
    url = second_factor.otpauth_url(secret, identity.email(actor.id))
    setup = MfaSetupView(secret=secret, otpauth_url=url, qr_code=second_factor.qr_code(url))
    return secret_answer(call, setup)


@operation(
    "POST",
    AUTH + "/mfa/enable",
    "credentials.enable_totp",
    input=CodeInput,
    output=RecoveryCodesView,
    statuses=(401, 409, 429),
)
async def mfa_enable(call: Call, data: CodeInput) -> Answer:
    """Require one-time passwords at sign-in; a first one proves that your authenticator has the secret."""
    identity, actor = call.identity, call.caller.signed_in()
    codes = second_factor.new_recovery_codes()
    async with identity.guarded(f"code:{actor.id}"):
        prepared = identity.principals.credentials(actor.id).totp_prepared
        if prepared is None:
            raise ConflictError(
                "there is no secret to enable: POST /auth/mfa/setup first", code="mfa_not_prepared"
            )
        step = _step(identity, actor.id, prepared, data.code)
        if step is None:
            raise _wrong_code()
        hashes = second_factor.hashed(codes, identity.secrets.keyed_hash, actor.id)
        command = EnableTotp(account_id=actor.id, secret=prepared, step=step, recovery_hashes=hashes)
        await call.execute_and_wait(command, actor)
    identity.notify(actor.id, notices.TOTP_ENABLED)
    return secret_answer(call, RecoveryCodesView(recovery_codes=codes))


@operation(
    "POST",
    AUTH + "/mfa/verify",
    "session.open",
    input=MfaInput,
    output=TokensView,
    statuses=(401, 409, 429),
)
async def mfa_verify(call: Call, data: MfaInput) -> Answer:
    """Complete a sign-in with a one-time password or a recovery code."""
    identity, intake = call.identity, call.api.intake
    claims = identity.tokens.read(data.mfa_token, TokenKind.MFA)
    account_id, session_id = claims.subject, claims.session or ""
    if identity.principals.session(session_id).account_id:
        raise ConflictError("this sign-in is complete already: sign in again", code="session_exists")
    await identity.allow(f"mfa:{session_id}", most=_MFA_TRIES)
    await identity.allow(f"code:{account_id}")
    factor = _factor(identity, account_id, data.code)
    try:
        tokens = await open_session(call, account_id, session_id, claims.epoch or 0, factor)
    except ForbiddenError as error:
        if error.specific_code == "code_used":
            raise _wrong_code() from error
        raise
    claim = intake.claim("email", identity.email(account_id))
    await identity.signed_in(claim, call.address, f"code:{account_id}", f"account:{claim}")
    return secret_answer(call, tokens)


@operation(
    "POST",
    AUTH + "/mfa/disable",
    "credentials.disable_totp",
    input=CodeInput,
    status=204,
    statuses=(401, 409, 429),
)
async def mfa_disable(call: Call, data: CodeInput) -> Answer:
    """Stop requiring one-time passwords; a last one, or a recovery code, proves that it is you."""
    identity, actor = call.identity, call.caller.signed_in()
    async with identity.guarded(f"code:{actor.id}"):
        await _use_code(call, actor, data.code)
        await call.execute_and_wait(DisableTotp(account_id=actor.id), actor)
    identity.notify(actor.id, notices.TOTP_DISABLED)
    return Answer(status=204, headers=call.position_header())


def _factor(identity: Identity, account_id: str, code: str) -> UseTotp | UseRecoveryCode:
    """Return the command that uses *code*; raises HttpError 401 for a wrong one-time password."""
    secret = identity.principals.credentials(account_id).totp_secret
    if secret is None:
        raise ConflictError("one-time passwords are not enabled", code="mfa_not_enabled")
    if second_factor.is_recovery_code(code):
        (code_hash,) = second_factor.hashed([code], identity.secrets.keyed_hash, account_id)
        return UseRecoveryCode(account_id=account_id, code_hash=code_hash)
    step = _step(identity, account_id, secret, code)
    if step is None:
        raise _wrong_code()
    return UseTotp(account_id=account_id, step=step)


async def _use_code(call: Call, actor: Actor, code: str) -> None:
    """Use a one-time password or a recovery code; raises HttpError 401 where it is wrong or was used."""
    try:
        await call.execute_and_wait(_factor(call.identity, actor.id, code), actor)
    except ForbiddenError as error:
        raise _wrong_code() from error


def _step(identity: Identity, account_id: str, sealed: str, code: str) -> int | None:
    secret = identity.secrets.unseal(_SECRET_NAME, account_id, sealed)
    return second_factor.matching_step(secret, code, identity.clock())


def _wrong_code() -> HttpError:
    return unauthorized("the code is wrong, has expired, or was used already", "invalid_code")

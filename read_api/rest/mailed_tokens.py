"""`/auth/password/*` and `/auth/verify`: what the tokens in mails are for."""

from commands.table.credentials import ForgottenInput, ResetInput, VerificationInput
from commands.table.fields import NoInput
from domain.account.commands import VerifyAddress
from domain.actor import Actor
from domain.credentials.decider import reset_state
from domain.errors import ConflictError
from read_api.auth.identity import Identity
from read_api.auth.mail import Mail
from read_api.auth.password_change import set_password
from read_api.auth.tokens import TokenKind
from read_api.auth.verification import VERIFY_PATH, mail_verification
from read_api.gateway.answers import Answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.rest.auth import AUTH

operation = Operations("Signing in")


@operation(
    "POST",
    AUTH + "/password/forgot",
    "password.reset",
    input=ForgottenInput,
    status=204,
    statuses=(429,),
)
async def forgot_password(call: Call, data: ForgottenInput) -> Answer:
    """Request a password-reset token by e-mail. Unknown addresses get the same answer."""
    identity, intake = call.identity, call.api.intake
    claim = intake.claim("email", data.email)
    await call.api.limits.account(call, f"forgot:{claim}")
    await identity.allow(f"forgot:{claim}", guards=False)
    identity.run_after_answer(_send_reset(identity, intake.account_with_email(data.email)))
    return Answer(status=204, headers=call.position_header())


async def _send_reset(identity: Identity, account_id: str | None) -> None:
    if account_id is None:
        identity.tokens.issue_reset("nobody", "")  # takes about as long as for an account
        return
    principals = identity.principals
    state = reset_state(principals.account(account_id), principals.credentials(account_id))
    token = identity.tokens.issue_reset(account_id, state)
    text = (
        "Somebody, probably you, asked to reset the password of your CodePark account. Within half an hour, "
        f"send this token with the new password to {identity.public_url}{AUTH}/password/reset:\n\n{token}\n\n"
        "If it was not you, do nothing: the password stays as it is."
    )
    address = identity.email(account_id)
    await identity.mailer.send(
        Mail(to=address, account_id=account_id, subject="Reset your password", text=text)
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
    """Set a new password with the token from the e-mail; every session and every API token ends."""
    identity = call.identity
    claims = identity.tokens.read(data.token, TokenKind.RESET)
    roles = frozenset(identity.principals.account(claims.subject).roles)
    actor = Actor(id=claims.subject, roles=roles)
    await set_password(call, actor, data.password, reset=claims.reset or "", revoke_tokens=True)
    claim = call.api.intake.claim("email", identity.email(claims.subject))
    await identity.signed_in(claim, call.address, f"account:{claim}", f"forgot:{claim}")
    return Answer(status=204, headers=call.position_header())


@operation(
    "POST",
    VERIFY_PATH,
    "account.verify",
    input=VerificationInput,
    status=204,
    statuses=(401, 403),
)
async def verify_address(call: Call, data: VerificationInput) -> Answer:
    """Verify your e-mail address with the token from the mail."""
    claims = call.identity.tokens.read(data.token, TokenKind.VERIFY)
    command = VerifyAddress(account_id=claims.subject, email_claim=claims.claim or "")
    await call.execute_and_wait(command, Actor(id=claims.subject))
    return Answer(status=204, headers=call.position_header())


@operation(
    "POST",
    VERIFY_PATH + "/resend",
    "account.read_own",
    input=NoInput,
    status=204,
    optional_body=True,
    statuses=(409, 429),
)
async def resend_verification(call: Call, _: NoInput) -> Answer:
    """Request another mail with a token that verifies your e-mail address."""
    identity, actor = call.identity, call.caller.signed_in()
    account = identity.principals.account(actor.id)
    if actor.verified or not account.exists:
        raise ConflictError("your e-mail address is verified already", code="already_verified")
    await identity.allow(f"verify:{actor.id}", guards=False)
    mail_verification(identity, actor.id, identity.email(actor.id), account.email_claim)
    return Answer(status=204)

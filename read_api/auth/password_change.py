"""Change the password of an account."""

from domain.actor import Actor
from domain.credentials.commands import ChangePassword
from jobs import notices
from read_api.auth.common_passwords import check_password
from read_api.auth.request import CredentialRequest


async def set_password(
    call: CredentialRequest,
    actor: Actor,
    password: str,
    *,
    epoch: int | None = None,
    reset: str | None = None,
    kept: str | None = None,
    revoke_tokens: bool = False,
    pointer: str = "/password",
) -> None:
    """Set the password of the actor's account, end its sessions except *kept*, and send a mail about it.

    With *revoke_tokens*, its API tokens end too. *epoch* is that of the credentials when the change was
    allowed, *reset* what the mail of a password reset named. Raises InvalidError, with *pointer*, for a
    common password, and ForbiddenError where the credentials have changed since.
    """
    identity = call.identity
    check_password(password, email=identity.email(actor.id), name=identity.name(actor.id), pointer=pointer)
    command = ChangePassword(
        account_id=actor.id,
        password_hash=await identity.passwords.hash(password),
        kept_session=kept,
        epoch=epoch,
        reset=reset,
        revoke_tokens=revoke_tokens,
    )
    await call.execute_and_wait(command, actor)
    identity.notify(actor.id, notices.password_changed(tokens_revoked=revoke_tokens))

"""Change the password of an account."""

from domain.actor import Actor
from domain.credentials.commands import ChangePassword
from read_api.auth.common_passwords import check_password
from read_api.auth.request import CredentialRequest


async def set_password(
    call: CredentialRequest,
    actor: Actor,
    password: str,
    *,
    epoch: int | None,
    kept: str | None = None,
    pointer: str = "/password",
) -> None:
    """Set the password of the actor's account, end its sessions except *kept*, and send a mail about it.

    *epoch* is that of the credentials when the change was allowed. Raises InvalidError, with *pointer*, for a
    common password, and ForbiddenError where the credentials have changed since.
    """
    identity = call.identity
    check_password(password, email=identity.email(actor.id), name=identity.name(actor.id), pointer=pointer)
    command = ChangePassword(
        account_id=actor.id,
        password_hash=await identity.passwords.hash(password),
        kept_session=kept,
        epoch=epoch,
    )
    await call.execute_and_wait(command, actor)
    text = "The password of your CodePark account was changed, and its other sessions were ended."
    identity.notify(actor.id, "Your password was changed", text)

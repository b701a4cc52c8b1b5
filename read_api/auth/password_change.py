"""Give an account another password."""

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
    """Give the actor's account this password, and end its sessions but the *kept* one; tell the person.

    *epoch* is that of the credentials when the change was allowed. Raises InvalidError, with *pointer*, where the
    password is a common one, and ForbiddenError where the credentials have moved on.
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
    identity.notify(actor.id, "Your password was changed", "Your password was changed. Other sessions ended.")

"""Mail that verifies an address, before which an account can do little; and addresses that others hold."""

from commands.intake import Intake
from domain.errors import ConflictError
from read_api.auth.identity import Identity
from read_api.auth.mail import Mail

VERIFY_PATH = "/api/v1/auth/verify"
_FORGOT_PATH = "/api/v1/auth/password/forgot"


def mail_verification(identity: Identity, account_id: str, address: str, email_claim: str) -> None:
    """Send a token to *address*, whose claim is *email_claim*, where addresses are verified."""
    if identity.verifies:
        identity.run_after_answer(_send(identity, account_id, address, email_claim))


def require_unclaimed(identity: Identity, intake: Intake, email: str, account_id: str = "") -> None:
    """Refuse an address that another account than *account_id* holds under a claim of an earlier release.

    Claims of this release conflict by themselves, when the command is decided. Raises ConflictError.
    """
    holder = intake.account_with_email(email)
    if holder is None or holder == account_id:
        return
    if identity.principals.account(holder).email_claim != intake.claim("email", email):
        raise ConflictError(
            "this e-mail address has an account already", code="email_taken", pointer="/email"
        )


async def _send(identity: Identity, account_id: str, address: str, email_claim: str) -> None:
    token = identity.tokens.issue_verification(account_id, email_claim)
    text = (
        "Somebody, probably you, gave this address to a CodePark account. To show that it is yours, send "
        f"this token within three days to {identity.public_url}{VERIFY_PATH}:\n\n{token}\n\n"
        "If it was not you, do nothing: the account can do hardly anything until then. You can also take "
        f"it over: ask {identity.public_url}{_FORGOT_PATH} for a new password."
    )
    mail = Mail(to=address, account_id=account_id, subject="Verify your address", text=text)
    await identity.mailer.send(mail)

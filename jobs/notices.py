"""What mail says of changes to the security of an account."""

from msgspec import Struct


class Notice(Struct, frozen=True):
    """The subject and the text of a mail."""

    subject: str
    text: str


REFRESH_REUSED = Notice(
    "A refresh token was used twice",
    "The refresh token of one of your CodePark sessions was used a second time. Somebody else may have a "
    "copy of it, so the session was ended: sign in again. If you do not know why this happened, change your "
    "password too.",
)
ADDRESS_CHANGED = Notice("Your address was changed", "The e-mail address of your account was changed.")
TOTP_ENABLED = Notice("One-time passwords are on", "From now on, signing in requires a one-time password.")
TOTP_DISABLED = Notice("One-time passwords are off", "Signing in no longer requires a one-time password.")


def password_changed(*, tokens_revoked: bool) -> Notice:
    """Return the notice of a new password, with which the API tokens may have been revoked."""
    text = "The password of your CodePark account was changed, and its other sessions were ended."
    if tokens_revoked:
        text += " Its API tokens were revoked too: create new ones for your programs."
    return Notice("Your password was changed", text)


def token_created(token_id: str, name: str) -> Notice:
    """Return the notice of a new API token."""
    return Notice(
        "An API token was created",
        f"An API token called “{name}” was created for your CodePark account. If it was not you, change your "
        f"password, and revoke the token: DELETE /api/v1/me/tokens/{token_id}",
    )

"""The structs of answers about signing in: sessions, tokens and second factors."""

from msgspec import UNSET, UnsetType

from domain.policy import Scope
from read_api.contract.views import View


class TokensView(View):
    """An access token, for how many seconds it is valid, and the refresh token to exchange for new ones."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int


class LoginView(View):
    """The tokens of a session, or the token to send with a second factor."""

    access_token: str | UnsetType = UNSET
    refresh_token: str | UnsetType = UNSET
    token_type: str | UnsetType = UNSET
    expires_in: int | UnsetType = UNSET
    mfa_required: bool | UnsetType = UNSET
    mfa_token: str | UnsetType = UNSET


class MfaSetupView(View):
    """A secret for one-time passwords, as authenticator programs take it."""

    secret: str
    otpauth_url: str
    qr_code: str


class RecoveryCodesView(View):
    """Codes that replace a one-time password, each once. They are shown only this once."""

    recovery_codes: list[str]


class SessionView(View):
    """A session of an account."""

    id: str
    created_at: str
    last_used_at: str
    expires_at: str
    user_agent: str
    address: str
    current: bool


class TokenView(View):
    """An API token; the token itself is shown only when it is created."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: str
    expires_at: str
    token: str | UnsetType = UNSET

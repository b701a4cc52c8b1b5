"""One-time passwords (RFC 6238) and recovery codes; pure, but for randomness."""

import base64
import hmac
import secrets
from collections.abc import Callable, Sequence

import pyotp
import segno
from pyotp.totp import TOTP

STEP_SECONDS = 30
RECOVERY_CODES = 10
_WINDOW = 1
_ISSUER = "CodePark"
_RECOVERY_BYTES = 10


def new_secret() -> str:
    """Draw a secret of 160 bits, in base32."""
    return pyotp.random_base32()


def otpauth_url(secret: str, account: str) -> str:
    """Return the URL that authenticator programs take the secret from."""
    return TOTP(secret).provisioning_uri(name=account, issuer_name=_ISSUER)


def qr_code(text: str) -> str:
    """Draw *text* as a QR code, and return the picture as a data URL."""
    return str(segno.make(text, error="m").png_data_uri(scale=4))


def matching_step(secret: str, code: str, now: float) -> int | None:
    """Return the time step whose password *code* is, the one of *now* or a neighbour; None where it is none.

    That each step is accepted once is the credentials' matter.
    """
    totp, step = TOTP(secret, interval=STEP_SECONDS), int(now) // STEP_SECONDS
    found = None
    for candidate in range(step - _WINDOW, step + _WINDOW + 1):  # all of them, whichever matches: equal time
        if hmac.compare_digest(totp.generate_otp(candidate).encode(), code.strip().encode()):
            found = candidate
    return found


def new_recovery_codes() -> list[str]:
    """Draw ten codes of 80 bits, in groups of four."""
    return [_grouped(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]


def normalised(code: str) -> str:
    """Return a recovery code as it is hashed: people add spaces and change letter case."""
    return "".join(code.split()).replace("-", "").lower()


def is_recovery_code(code: str) -> bool:
    """Tell a recovery code from a one-time password, which has digits alone."""
    return len(normalised(code)) > len("000000")


def hashed(codes: Sequence[str], keyed_hash: Callable[[str, str], str], account_id: str) -> tuple[str, ...]:
    """Return what is kept of recovery codes."""
    return tuple(keyed_hash("recovery-code", f"{account_id}\0{normalised(code)}") for code in codes)


def _grouped(raw: bytes) -> str:
    text = base64.b32encode(raw).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))

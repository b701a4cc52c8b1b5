"""One-time passwords (RFC 6238) and recovery codes, without I/O; only new secrets are random."""

import base64
import hmac
import secrets
import unicodedata
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
    """Return a new random secret of 160 bits, in base32."""
    return pyotp.random_base32()


def otpauth_url(secret: str, account: str) -> str:
    """Return the URL from which authenticator apps read the secret."""
    return TOTP(secret).provisioning_uri(name=account, issuer_name=_ISSUER)


def qr_code(text: str) -> str:
    """Return *text* as a QR code: a PNG in a data URL."""
    return str(segno.make(text, error="m").png_data_uri(scale=4))


def matching_step(secret: str, code: str, now: float) -> int | None:
    """Return the time step that *code* belongs to: that of *now*, the one before or the one after; else None.

    The credentials' state refuses a step that was used before.
    """
    totp, step = TOTP(secret, interval=STEP_SECONDS), int(now) // STEP_SECONDS
    matching, typed = None, normalised(code).encode()
    # All candidates are compared, so that the time does not reveal which one matches.
    for candidate in range(step - _WINDOW, step + _WINDOW + 1):
        if hmac.compare_digest(totp.generate_otp(candidate).encode(), typed):
            matching = candidate
    return matching


def new_recovery_codes() -> list[str]:
    """Return ten new random codes of 80 bits, written in groups of four characters."""
    return [_grouped(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]


def normalised(code: str) -> str:
    """Return a code as it is compared: its letters and digits alone, in lower case, digits as ASCII has them.

    People type codes in groups, with blanks or hyphens of any kind, or copy them with characters unseen.
    """
    return "".join(_plain(letter) for letter in code if letter.isalnum()).lower()


def _plain(letter: str) -> str:
    digit = unicodedata.digit(letter, None)
    return letter if digit is None else str(digit)


def is_recovery_code(code: str) -> bool:
    """Return whether *code* is a recovery code, which is longer than a one-time password of six digits."""
    return len(normalised(code)) > len("000000")


def hashed(codes: Sequence[str], keyed_hash: Callable[[str, str], str], account_id: str) -> tuple[str, ...]:
    """Return the hashes of recovery codes that the log stores."""
    return tuple(keyed_hash("recovery-code", f"{account_id}\0{normalised(code)}") for code in codes)


def _grouped(raw: bytes) -> str:
    text = base64.b32encode(raw).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))

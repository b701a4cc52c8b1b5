"""The rule for e-mail addresses: which ones an account may take, and which ones are the same address.

Two addresses are the same if their *keys* are: Unicode normalisation form C, lower case, the final sigma like
the other one, and the domain as IDNA (UTS #46) writes it. Compatibility characters, such as the ligature
`ﬀ`, are not the letters that they look like: no account can take an address with them.
"""

import re
import unicodedata

import idna

from domain.errors import InvalidError
from domain.limits import EMAIL_LENGTH

_PART = r"[^\s@,;:<>()\"\[\]\\\x00-\x1f\x7f-\x9f\ud800-\udfff]+"
_EMAIL = re.compile(f"{_PART}@{_PART}")  # one address, also as a header of a mail
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
_SIGMA, _FINAL_SIGMA = "\u03c3", "\u03c2"
_POINTER = "/email"


def address_key(address: str) -> str:
    """Return what *address* is compared by; it also accepts texts that no account could take."""
    text = address.strip()
    if text.isascii():
        return text.lower()
    local, at, domain = unicodedata.normalize("NFC", text).rpartition("@")
    return f"{_folded(local)}{at}{_ascii_domain(domain) or _folded(domain)}"


def old_address_keys(address: str) -> tuple[str, ...]:
    """Return what releases before the rule compared *address* by, where that differs from its key."""
    text, key = address.strip(), address_key(address)
    spellings = (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))
    return tuple(dict.fromkeys(old for each in spellings if (old := each.casefold()) != key))


def checked_address(address: str) -> str:
    """Return *address* if an account may take it; raises InvalidError."""
    if len(address) > EMAIL_LENGTH or "=?" in address or _EMAIL.fullmatch(address) is None:
        raise InvalidError("write one e-mail address, such as ada@example.org", pointer=_POINTER)
    if not address.isascii():
        _check_letters(unicodedata.normalize("NFC", address))
    return address


def _check_letters(address: str) -> None:
    for letter in address:
        plain = unicodedata.normalize("NFKC", letter)
        if unicodedata.category(letter) in _UNSEEN or unicodedata.normalize("NFC", letter) != plain:
            raise InvalidError(
                f"write the address without U+{ord(letter):04X}: it only looks like other characters, or "
                "like none",
                pointer=_POINTER,
            )
    if _ascii_domain(address.rpartition("@")[2]) is None:
        raise InvalidError("the part after the @ is not a name that a domain can have", pointer=_POINTER)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.lower().replace(_FINAL_SIGMA, _SIGMA))


def _ascii_domain(domain: str) -> str | None:
    """Return the domain in the form that the DNS has, None where IDNA does not know one."""
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        return None

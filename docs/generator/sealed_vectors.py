"""Encrypted personal fields, for programs that open them themselves."""

import base64
import json

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from commands.keys import COMMITTED, commitment_to, is_committed, sealed

_KEY, _NONCE = bytes(range(32)), bytes(range(100, 112))
_CONTEXT, _PLAIN = "account.registered", '{"name":"Ada","email":"ada@example.org"}'


def sealed_vectors() -> str:
    """Return a text in both forms: committed to its key, and as earlier releases wrote it."""
    committed = sealed(_KEY, _CONTEXT, _PLAIN.encode(), _NONCE)
    earlier = base64.b64encode(_NONCE + AESGCM(_KEY).encrypt(_NONCE, _PLAIN.encode(), _CONTEXT.encode()))
    document = {
        "cipher": "AES-256-GCM",
        "committedForm": f"{COMMITTED} and base64 of commitment, nonce and ciphertext",
        "earlierForm": "base64 of nonce and ciphertext",
        "vectors": [_vector(text) for text in (committed, earlier.decode())],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _vector(text: str) -> dict[str, str]:
    commitment = {"commitment": commitment_to(_KEY).hex()} if is_committed(text) else {}
    return {
        "key": _KEY.hex(),
        "nonce": _NONCE.hex(),
        "context": _CONTEXT,
        "plain": _PLAIN,
        **commitment,
        "personal": text,
    }

"""The keys that sign tokens: a key for each generation, and one for the operator."""

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm
from msgspec import Struct

from commands.secrets import Secrets
from domain.signing.decider import INITIAL, Signing

ALGORITHM = "EdDSA"
ANNOUNCED_MS = 10 * 60 * 1000
"""How long a generation is announced before it signs: longer than clients cache the key set (5 minutes)."""

LONGEST_MS = 15 * 24 * 3600 * 1000
"""How long a signature of a generation stays valid at most: as long as a refresh token, and one day."""

_OPERATOR = 0


class Key(Struct, frozen=True):
    """A key pair under its `kid`; only a holder of the installation's secret has the *operator*'s."""

    id: str
    private: Ed25519PrivateKey
    public: Ed25519PublicKey
    operator: bool


class SigningKeys:
    """Derive the keys of each generation from the installation's secret; none is stored."""

    def __init__(
        self,
        secrets: Secrets,
        generations: Callable[[], Signing] = lambda: INITIAL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Ask *generations* for those announced so far; *clock* returns seconds since the epoch."""
        self._secrets = secrets
        self._generations = generations
        self._clock = clock
        self._derived: dict[int, Key] = {}

    def signing(self) -> Key:
        """Return the key that signs now."""
        return self._key(self._generations().signs(self._now(), ANNOUNCED_MS))

    def operator(self) -> Key:
        """Return the operator's key, which never changes: a program with the secret alone signs with it."""
        return self._key(_OPERATOR)

    def operator_since(self) -> int:
        """Return when the last generation was announced: that ended the operator's tokens of before."""
        return self._generations().announced[-1][1]

    def find(self, key_id: str) -> Key | None:
        """Return the key with this `kid` whose signatures are valid now, None where there is none."""
        return next((key for key in self._valid() if key.id == key_id), None)

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [_jwk(key) for key in self._valid()]}

    def _valid(self) -> Iterator[Key]:
        yield from map(self._key, self._generations().verifies(self._now(), ANNOUNCED_MS, LONGEST_MS))
        yield self.operator()

    def _key(self, generation: int) -> Key:
        key = self._derived.get(generation)
        if key is None:
            private = self._secrets.signing_key(generation or "operator")
            raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            key_id = base64.urlsafe_b64encode(hashlib.sha256(raw).digest()[:12]).decode()
            key = Key(key_id, private, private.public_key(), generation == _OPERATOR)
            self._derived[generation] = key
        return key

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _jwk(key: Key) -> dict[str, Any]:
    fields = OKPAlgorithm.to_jwk(key.public, as_dict=True)
    return {**fields, "kid": key.id, "use": "sig", "alg": ALGORITHM}

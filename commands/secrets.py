"""Keys derived from the installation's one secret (HKDF, RFC 5869)."""

import base64
import binascii
import hmac
import os
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_SIZE = 32
_NONCE_SIZE = 12


class SecretError(ValueError):
    """The secret key does not have the form that it needs."""


class Secrets:
    """The installation's secret and the keys that are derived from it, each for one use."""

    def __init__(self, secret: bytes) -> None:
        """Derive the keys; raise SecretError unless *secret* has 32 bytes."""
        if len(secret) != SECRET_SIZE:
            raise SecretError(f"the secret key has {len(secret)} bytes: use one of {SECRET_SIZE} bytes")
        self._secret = secret
        self.master_key = self._derive(b"codepark/master-key/1")
        self._claim_key = self._derive(b"codepark/claims/1")
        self._sealing_key = self._derive(b"codepark/sealed/1")

    @classmethod
    def from_base64(cls, text: str) -> "Secrets":
        """Read the secret from the base64 text of a setting or a key file; raises SecretError."""
        try:
            return cls(base64.b64decode(text.strip(), validate=True))
        except binascii.Error as error:
            raise SecretError(
                "the secret key is not base64: use 32 random bytes, encoded in base64"
            ) from error

    def signing_key(self, generation: int | str = 1) -> Ed25519PrivateKey:
        """Return the key of this *generation*, which signs tokens."""
        return Ed25519PrivateKey.from_private_bytes(
            self._derive(f"codepark/token-signing/{generation}".encode())
        )

    def seal(self, use: str, context: str, plain: str) -> str:
        """Encrypt *plain* for one *use*, bound to *context*; only this installation can decrypt it."""
        nonce = os.urandom(_NONCE_SIZE)
        sealed = AESGCM(self._sealing_key).encrypt(nonce, plain.encode(), f"{use}\0{context}".encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def unseal(self, use: str, context: str, sealed: str) -> str:
        """Decrypt a text that `seal` returned; raises ValueError for an altered text and for another use."""
        data = base64.urlsafe_b64decode(sealed)
        try:
            plain = AESGCM(self._sealing_key).decrypt(
                data[:_NONCE_SIZE], data[_NONCE_SIZE:], f"{use}\0{context}".encode()
            )
        except InvalidTag as error:
            raise ValueError("a sealed text was altered, or sealed for another use") from error
        return plain.decode()

    def node_secret(self) -> str:
        """Return the secret with which the nodes of an installation prove themselves to each other.

        It is another one than that of earlier versions, which sent theirs to other nodes.
        """
        return self._derive(b"codepark/nodes/2").hex()

    def claim(self, kind: str, value: str) -> str:
        """Return the claim of *value*: a keyed hash, so that the log does not reveal any address."""
        return self.keyed_hash(kind, value.strip().casefold())

    def keyed_hash(self, kind: str, value: str) -> str:
        """Return HMAC-SHA-256 of *value* for one *kind* of use, 32 hex digits."""
        return hmac.new(self._claim_key, f"{kind}\0{value}".encode(), sha256).hexdigest()[:32]

    def _derive(self, info: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._secret)

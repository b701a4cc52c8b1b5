"""How the nodes of an installation prove themselves to each other: the secret itself never travels.

What is sent carries a code (HMAC-SHA-256, RFC 2104) over its time, a nonce, the receiver's address and the
digest of the body. The answer carries one over the nonce, the status and its body, so that a process without
the secret can neither hand over a command nor answer for a node.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable
from hashlib import sha256

from msgspec import Struct

WINDOW_SECONDS = 30.0
"""How far the time of a proof may be from this node's clock."""
_MOST_NONCES = 200_000
_MOST_DIGITS = 15
_FORM = re.compile(rb"2 ([0-9]{1,15}) ([0-9a-f]{32}) ([0-9a-f]{64}) ([0-9a-f]{64})")

Clock = Callable[[], float]
"""Returns the seconds since 1970."""


class RequestProof(Struct, frozen=True):
    """The proof of one request: when it was made, its nonce, and the digest of its body."""

    time: int
    nonce: str
    digest: str
    code: str

    def header(self) -> str:
        """Return the text of the header."""
        return f"2 {self.time} {self.nonce} {self.digest} {self.code}"


def read_proof(header: bytes) -> RequestProof | None:
    """Return the proof in a header, None where its form is another one."""
    match = _FORM.fullmatch(header)
    if match is None:
        return None
    moment, nonce, digest, code = (part.decode() for part in match.groups())
    return RequestProof(int(moment), nonce, digest, code)


class NodeProofs:
    """Makes and checks the proofs of an installation's nodes."""

    def __init__(self, secret: str, clock: Clock = time.time) -> None:
        """Take the nodes' *secret*, which is derived from the installation's key for this use alone."""
        self._key = secret.encode()
        self._clock = clock

    def of_request(self, node: str, body: bytes) -> RequestProof:
        """Return the proof of a request with *body* to the node at the address *node*."""
        moment, nonce, digest = self.now(), secrets.token_hex(16), digest_of(body)
        return RequestProof(moment, nonce, digest, self._request_code(node, moment, nonce, digest))

    def holds(self, proof: RequestProof, node: str) -> bool:
        """Return whether a node of the installation made *proof* now, for the node at the address *node*."""
        code = self._request_code(node, proof.time, proof.nonce, proof.digest)
        return hmac.compare_digest(code, proof.code) and self.is_now(proof.time)

    def of_answer(self, nonce: str, status: int, body: bytes) -> str:
        """Return the proof of the answer to the request with *nonce*."""
        return self._code("answer", nonce, str(status), digest_of(body))

    def answered(self, proof: str, nonce: str, status: int, body: bytes) -> bool:
        """Return whether a node of the installation answered so to the request with *nonce*."""
        return hmac.compare_digest(self.of_answer(nonce, status, body).encode(), proof.encode())

    def of_heartbeat(self, node: str, moment: int) -> str:
        """Return the heartbeat of the node at the address *node* at *moment*."""
        return f"{moment} {self._code('heartbeat', node, str(moment))}"

    def heartbeat(self, node: str, text: str) -> int | None:
        """Return the moment of a heartbeat, None where no node of the installation made it."""
        moment, _, code = text.partition(" ")
        if not (moment.isascii() and moment.isdecimal() and len(moment) <= _MOST_DIGITS):
            return None
        expected = self._code("heartbeat", node, moment)
        return int(moment) if hmac.compare_digest(expected.encode(), code.encode()) else None

    def now(self) -> int:
        """Return the present time in milliseconds."""
        return int(self._clock() * 1000)

    def is_now(self, moment: int) -> bool:
        """Return whether *moment* is near this node's time."""
        return abs(moment - self.now()) <= WINDOW_SECONDS * 1000

    def _request_code(self, node: str, moment: int, nonce: str, digest: str) -> str:
        return self._code("forward", node, str(moment), nonce, digest)

    def _code(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode(), sha256).hexdigest()


class SeenNonces:
    """The nonces of the requests that were taken: a proof is good for one request.

    Two sets take turns, each for as long as a proof can be good, so that a nonce is remembered long enough
    and the memory is bounded.
    """

    def __init__(self, clock: Clock = time.monotonic, most: int = _MOST_NONCES) -> None:
        """Remember up to *most* nonces in each turn."""
        self._clock = clock
        self._most = most
        self._turn = clock()
        self._recent: set[str] = set()
        self._older: set[str] = set()

    def take(self, nonce: str) -> bool:
        """Return whether *nonce* was never taken; one that cannot be remembered is refused."""
        if self._clock() - self._turn > 2 * WINDOW_SECONDS:
            self._older, self._recent, self._turn = self._recent, set(), self._clock()
        if nonce in self._recent or nonce in self._older or len(self._recent) >= self._most:
            return False
        self._recent.add(nonce)
        return True


def digest_of(body: bytes) -> str:
    """Return the digest of a body."""
    return sha256(body).hexdigest()

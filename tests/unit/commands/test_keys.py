"""Encrypted personal fields: each is bound to one key, and those of earlier releases stay readable."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from commands.keys import commitment_to, is_committed, sealed, unsealed

KEY, OTHER, NONCE = bytes(range(32)), bytes(32), bytes(12)
VECTORS = Path(__file__).parents[3] / "docs" / "reference" / "sealed-vectors.json"


def uncommitted(key=KEY, plain=b"words"):
    return base64.b64encode(NONCE + AESGCM(key).encrypt(NONCE, plain, b"topic")).decode()


def altered(text, place):
    data = bytearray(base64.b64decode(text.removeprefix("1.")))
    data[place] ^= 1
    return "1." * is_committed(text) + base64.b64encode(bytes(data)).decode()


def test_a_text_opens_with_its_key_in_its_context():
    text = sealed(KEY, "topic", b"words", NONCE)
    assert unsealed(KEY, "topic", text) == b"words"
    with pytest.raises(ValueError, match="altered"):
        unsealed(KEY, "another", text)


def test_a_text_that_another_key_would_open_is_refused_for_its_commitment():
    forged = "1." + base64.b64encode(commitment_to(KEY) + base64.b64decode(uncommitted(OTHER))).decode()
    assert unsealed(OTHER, "topic", uncommitted(OTHER)) == b"words"
    with pytest.raises(ValueError, match="committed to another key"):
        unsealed(OTHER, "topic", forged)


def test_the_form_of_earlier_releases_is_read():
    assert unsealed(KEY, "topic", uncommitted()) == b"words"
    assert not is_committed(uncommitted())


@pytest.mark.parametrize("text", [sealed(KEY, "topic", b"words", NONCE), uncommitted()])
def test_every_altered_byte_is_noticed(text):
    size = len(base64.b64decode(text.removeprefix("1.")))
    for place in range(size):
        with pytest.raises(ValueError, match="altered"):
            unsealed(KEY, "topic", altered(text, place))


@pytest.mark.parametrize("text", ["", "1.", "1.AAAA", "AAAA", "1.=", "?", "1." + "A" * 58])
def test_what_is_no_sealed_text_is_refused(text):
    with pytest.raises(ValueError, match="altered"):
        unsealed(KEY, "topic", text)


def test_the_published_vectors_open():
    vectors = json.loads(VECTORS.read_text())["vectors"]
    assert [is_committed(vector["personal"]) for vector in vectors] == [True, False]
    for vector in vectors:
        key = bytes.fromhex(vector["key"])
        assert unsealed(key, vector["context"], vector["personal"]).decode() == vector["plain"]

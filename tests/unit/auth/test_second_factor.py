import base64

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.secrets import Secrets
from read_api.auth import second_factor

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("now", "code"), [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")]
)
def test_the_vectors_of_rfc_6238(now: int, code: str) -> None:
    assert second_factor.matching_step(SECRET, code, now) == now // 30


@given(now=st.integers(120, 2_000_000_000), shift=st.integers(-3, 3))
def test_the_window_is_one_step(now: int, shift: int) -> None:
    code = pyotp.TOTP(SECRET).generate_otp(now // 30 + shift)
    step = second_factor.matching_step(SECRET, code, now)
    if abs(shift) <= 1:
        assert step is not None
        assert pyotp.TOTP(SECRET).generate_otp(step) == code
    else:
        others = {pyotp.TOTP(SECRET).generate_otp(now // 30 + other) for other in (-1, 0, 1)}
        assert (step is not None) is (code in others)


@pytest.mark.parametrize(
    "code",
    [
        "287 082",
        " 287082 ",
        "287-082",
        "2 8 7 0 8 2",
        "287\u00a0082",
        "287\u2013082",
        "\ufeff287082",
        "\uff12\uff18\uff17\uff10\uff18\uff12",
    ],
)
def test_a_code_is_taken_however_it_is_grouped(code: str) -> None:
    assert second_factor.matching_step(SECRET, code, 59) == 1
    assert not second_factor.is_recovery_code(code)


def test_recovery_codes_are_ten_different_ones_and_are_kept_hashed() -> None:
    codes = second_factor.new_recovery_codes()
    assert len(set(codes)) == 10
    hashes = second_factor.hashed(codes, Secrets(bytes(32)).keyed_hash, "ada")
    assert second_factor.hashed([f" {codes[0].upper()} "], Secrets(bytes(32)).keyed_hash, "ada") == hashes[:1]
    assert not set(hashes) & set(second_factor.hashed(codes, Secrets(bytes(32)).keyed_hash, "bob"))
    assert all(second_factor.is_recovery_code(code) for code in codes)
    assert not second_factor.is_recovery_code("123456")


def test_the_qr_code_is_a_png() -> None:
    url = second_factor.otpauth_url(SECRET, "ada@example.org")
    assert url == f"otpauth://totp/CodePark:ada%40example.org?secret={SECRET}&issuer=CodePark"
    kind, _, data = second_factor.qr_code(url).partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data).startswith(b"\x89PNG")

"""A rotation of keys ends no session; a token is valid for its own use only."""

import jwt
import pytest

from commands.secrets import Secrets
from domain.actor import Role
from domain.signing import decider
from domain.signing.events import SigningKeyRotated
from read_api.auth.keys import ANNOUNCED_MS, LONGEST_MS, SigningKeys
from read_api.auth.tokens import REFRESH_SECONDS, TokenKind, Tokens
from read_api.problems import HttpError

START = 1_700_000_000.0


class World:
    """A clock and the generations announced so far."""

    def __init__(self) -> None:
        self.now = START
        self.signing = decider.INITIAL
        self.keys = SigningKeys(Secrets(bytes(32)), lambda: self.signing, lambda: self.now)
        self.tokens = Tokens(self.keys, lambda: self.now)

    def rotate(self) -> None:
        event = SigningKeyRotated(generation=self.signing.last + 1, at=int(self.now * 1000))
        self.signing = decider.evolve(self.signing, event)


@pytest.fixture
def world() -> World:
    return World()


def key_ids(world: World) -> list[str]:
    return [key["kid"] for key in world.keys.jwks()["keys"]]


def test_a_rotation_ends_no_session(world: World) -> None:
    old = world.tokens.issue_refresh("ada", "s", "t", REFRESH_SECONDS)
    first = key_ids(world)
    world.rotate()
    assert len(key_ids(world)) == len(first) + 1  # announced before it signs
    assert jwt.get_unverified_header(world.tokens.issue_access("ada", ()))["kid"] == first[0]
    world.now += ANNOUNCED_MS / 1000
    new = world.tokens.issue_access("ada", {Role.USER})
    assert jwt.get_unverified_header(new)["kid"] not in first
    assert world.tokens.access(new).subject == "ada"
    world.now = START + REFRESH_SECONDS - 1
    assert world.tokens.read(old, TokenKind.REFRESH).token_id == "t"


def test_a_key_retires_once_no_token_that_it_signed_can_be_valid(world: World) -> None:
    (first, _) = key_ids(world)
    world.rotate()
    world.now += (ANNOUNCED_MS + LONGEST_MS) / 1000
    assert first not in key_ids(world)


def test_each_kind_is_good_for_its_use_alone(world: World) -> None:
    tokens = world.tokens
    issued = {
        TokenKind.ACCESS: tokens.issue_access("ada", {Role.USER}, session="s"),
        TokenKind.REFRESH: tokens.issue_refresh("ada", "s", "t", 60),
        TokenKind.MFA: tokens.issue_mfa("ada", "s", 0),
        TokenKind.RESET: tokens.issue_reset("ada", "0.0.claim"),
        TokenKind.VERIFY: tokens.issue_verification("ada", "claim"),
    }
    for kind, token in issued.items():
        for other in TokenKind:
            if kind is other:
                assert tokens.read(token, other).subject == "ada"
                continue
            with pytest.raises(HttpError) as caught:
                tokens.read(token, other)
            assert (caught.value.status, caught.value.code) == (401, "invalid_token")


def test_an_expired_token_says_so(world: World) -> None:
    token = world.tokens.issue_access("ada", {Role.USER}, session="s")
    assert world.tokens.access(token).roles == {Role.USER}
    world.now += 15 * 60
    with pytest.raises(HttpError) as caught:
        world.tokens.access(token)
    assert caught.value.code == "token_expired"


def test_a_token_of_the_operator_is_marked_as_such(world: World) -> None:
    assert world.tokens.access(world.tokens.issue_access("service:cli", set(Role), operator=True)).operator
    assert not world.tokens.access(world.tokens.issue_access("ada", set(Role))).operator


def operators(world: World, subject: str = "service:cli", **claims) -> str:
    return world.tokens.issue_access(subject, set(Role), operator=True, **claims)


def test_a_rotation_ends_the_tokens_of_the_operator_at_once(world: World) -> None:
    world.now += 0.4
    before = operators(world)
    issued = world.tokens.access(before).issued
    world.now += 0.1
    world.rotate()
    for _ in range(2):  # the second time from the cache, if it were there
        with pytest.raises(HttpError) as caught:
            world.tokens.access(before)
        assert (caught.value.status, caught.value.code) == (401, "invalid_token")
    assert not world.tokens.is_current(issued)
    world.now += 0.1  # in the same second
    after = operators(world)
    assert world.tokens.access(after).operator
    assert jwt.decode(after, options={"verify_signature": False})["iat"] == pytest.approx(START + 0.6)


def test_a_token_names_who_acts_for_its_subject(world: World) -> None:
    token = operators(world, "ada", operated_by="bob")
    assert jwt.decode(token, options={"verify_signature": False})["act"] == {"sub": "bob"}
    assert world.tokens.access(token).operated_by == "bob"
    assert world.tokens.access(operators(world, "ada")).operated_by == "service:cli"
    assert world.tokens.access(operators(world)).operated_by is None
    own = world.tokens.issue_access("ada", {Role.USER}, session="s")
    assert world.tokens.access(own).operated_by is None


@pytest.mark.parametrize("act", ["bob", {}, {"sub": 7}, []])
def test_a_claim_act_of_another_form_is_refused(world: World, act) -> None:
    token = operators(world, "ada")
    claims = jwt.decode(token, options={"verify_signature": False}) | {"act": act}
    header = jwt.get_unverified_header(token)
    forged = jwt.encode(claims, world.keys.operator().private, algorithm="EdDSA", headers=header)
    with pytest.raises(HttpError) as caught:
        world.tokens.access(forged)
    assert caught.value.code == "invalid_token"


@pytest.mark.parametrize("change", [{"aud": "others"}, {"iss": "others"}])
def test_a_token_for_others_is_refused(world: World, change) -> None:
    token = world.tokens.issue_access("ada", {Role.USER}, session="s")
    claims = jwt.decode(token, options={"verify_signature": False}) | change
    header = jwt.get_unverified_header(token)
    forged = jwt.encode(claims, world.keys.signing().private, algorithm="EdDSA", headers=header)
    with pytest.raises(HttpError) as caught:
        world.tokens.access(forged)
    assert caught.value.code == "invalid_token"

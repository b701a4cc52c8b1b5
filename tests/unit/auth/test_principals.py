"""The principal of a credential: a revocation counts from the next request, and recent means 15 minutes."""

import pytest
from msgspec.structs import replace

from domain.account.commands import ChangeStanding, EraseAccount, RegisterAccount, VerifyAddress
from domain.actor import SERVICE, Actor, Role
from domain.credentials.commands import RevokeSessions
from domain.policy import Scope
from domain.session.commands import EndSession, OpenSession
from domain.session.events import EndReason
from domain.token.commands import CreateToken, RevokeToken
from read_api.auth.keys import SigningKeys
from read_api.auth.principals import RECENT_SECONDS, Principals
from read_api.auth.tokens import Tokens
from read_api.problems import HttpError
from tests.support.profile import SECRETS

ADA = Actor(id="01900000-0000-7000-8000-0000000000aa", roles=frozenset({Role.USER}))
SESSION = "01900000-0000-7000-8000-0000000000bb"
TOKEN = "01900000-0000-7000-8000-0000000000cc"
START = 1_700_000_000


class Clock:
    def __init__(self) -> None:
        self.now = float(START)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def principals(commands, clock: Clock) -> Principals:
    principals = Principals(commands.log, Tokens(SigningKeys(SECRETS, clock=clock), clock), SECRETS, clock)
    register = RegisterAccount(
        account_id=ADA.id, email="a@b", name="ada", password_hash="h", email_claim="e", name_claim="n"
    )
    commands.carry_out(register, ADA)
    opened = OpenSession(
        session_id=SESSION,
        account_id=ADA.id,
        token_id="t",
        opened_at=START * 1000,
        expires_at=(START + 90 * 86_400) * 1000,
        user_agent="",
        address="",
        epoch=0,
        second_factor=False,
    )
    commands.carry_out(opened, ADA)
    return principals


def access(principals: Principals, **changes) -> str:
    return principals._tokens.issue_access(ADA.id, {Role.USER}, **{"session": SESSION, **changes})


def refused(principals: Principals, credential: str) -> None:
    with pytest.raises(HttpError) as caught:
        principals.of(credential)
    assert (caught.value.status, caught.value.code) == (401, "invalid_token")


def test_roles_are_those_of_now(principals: Principals, commands) -> None:
    token = access(principals)
    before = principals.of(token)
    assert (before.actor.roles, before.session) == ({Role.USER}, SESSION)
    commands.carry_out(ChangeStanding(account_id=ADA.id, roles=(Role.AUDITOR,), tier=None), SERVICE)
    assert principals.of(token).actor.roles == {Role.AUDITOR}
    assert not principals.is_still_valid(before)
    assert principals.is_still_valid(principals.of(token))


@pytest.mark.parametrize(
    ("command", "actor"),
    [
        (EndSession(session_id=SESSION, account_id=ADA.id, reason=EndReason.REVOKED), ADA),
        (RevokeSessions(account_id=ADA.id, kept_session=None), ADA),
        (EraseAccount(account_id=ADA.id, authors=()), ADA),
    ],
    ids=["one", "all", "erased"],
)
def test_a_revocation_counts_from_the_next_request(principals: Principals, commands, command, actor) -> None:
    token = access(principals)
    before = principals.of(token)
    commands.carry_out(command, actor)
    refused(principals, token)
    assert not principals.is_still_valid(before)


def test_a_token_without_a_session_or_with_a_foreign_one_is_refused(principals: Principals) -> None:
    refused(principals, access(principals, session=None))
    refused(principals, access(principals, session="01900000-0000-7000-8000-0000000000dd"))
    other = principals._tokens.issue_access("somebody", {Role.ADMIN}, session=SESSION)
    refused(principals, other)


def test_a_session_ends_at_the_latest_when_it_said(principals: Principals, clock: Clock) -> None:
    clock.now = START + 90 * 86_400 - 1
    assert principals.of(access(principals)).session == SESSION
    clock.now += 1
    refused(principals, access(principals))


def test_recent_is_a_quarter_of_an_hour(principals: Principals, clock: Clock) -> None:
    assert principals.is_recent(SESSION)
    clock.now = START + RECENT_SECONDS
    assert not principals.is_recent(SESSION)


def test_an_api_token_is_valid_until_it_expires_and_has_its_scopes(
    principals: Principals, commands, clock: Clock
) -> None:
    token, token_hash = principals.api_token(TOKEN)
    create = CreateToken(
        token_id=TOKEN,
        account_id=ADA.id,
        name="ci",
        token_hash=token_hash,
        scopes=("read",),
        expires_at=(START + 60) * 1000,
    )
    commands.carry_out(create, ADA)
    principal = principals.of(token)
    assert principal.actor == replace(ADA, scopes=frozenset({"read"}))
    assert principals.is_still_valid(principal)
    refused(principals, token + "x")
    refused(principals, "cp_none_x")
    clock.now += 60
    refused(principals, token)
    assert not principals.is_still_valid(principal)
    clock.now -= 60
    commands.carry_out(RevokeToken(token_id=TOKEN, account_id=ADA.id), ADA)
    refused(principals, token)


def test_the_end_of_all_tokens_counts_from_the_next_request(principals: Principals, commands) -> None:
    token, hashed = principals.api_token(TOKEN)
    create = CreateToken(
        token_id=TOKEN,
        account_id=ADA.id,
        name="ci",
        token_hash=hashed,
        scopes=(Scope.READ,),
        expires_at=(START + 60) * 1000,
    )
    commands.carry_out(create, ADA)
    before = principals.of(token)
    commands.carry_out(RevokeSessions(account_id=ADA.id, kept_session=SESSION, revoke_tokens=True), ADA)
    refused(principals, token)
    assert not principals.is_still_valid(before)
    assert not principals.keeps_token(TOKEN)


def test_an_unverified_account_has_the_rights_of_a_user_until_it_is_verified(commands, clock) -> None:
    tokens = Tokens(SigningKeys(SECRETS, clock=clock), clock)
    principals = Principals(commands.log, tokens, SECRETS, clock, verifies=True)
    register = RegisterAccount(
        account_id=ADA.id,
        email="a@b",
        name="ada",
        password_hash="h",
        email_claim="e",
        name_claim="n",
        verified=False,
    )
    commands.carry_out(register, ADA)
    commands.carry_out(ChangeStanding(account_id=ADA.id, roles=(Role.ADMIN,), tier=None), SERVICE)
    actor = principals._actor(ADA.id, principals.account(ADA.id))
    assert (actor.verified, actor.roles) == (False, {Role.USER})
    commands.carry_out(VerifyAddress(account_id=ADA.id, email_claim="e"), ADA)
    actor = principals._actor(ADA.id, principals.account(ADA.id))
    assert (actor.verified, actor.roles) == (True, {Role.ADMIN})


def test_the_first_use_of_an_operators_token_is_reported_once(principals: Principals) -> None:
    reported: list[str] = []
    principals.on_operator_token = lambda claims: reported.append(claims.token_id)
    token = access(principals, session=None, operator=True, operated_by="bob")
    for _ in range(2):
        assert principals.of(token).actor.operated_by == "bob"
    assert len(reported) == 1
    principals.forget_use(reported[0])
    principals.of(token)
    assert len(reported) == 2

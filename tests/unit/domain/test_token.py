from functools import reduce

import pytest
from msgspec.structs import replace

from domain.actor import Role, Tier
from domain.credentials.decider import INITIAL
from domain.errors import Refusal
from domain.policy import Scope
from domain.token import decider
from domain.token.commands import CreateToken, RecordOperatorToken, RevokeToken
from domain.token.events import TokenCreated, TokenRevoked
from tests.unit.domain.people import ADMIN, STRANGER
from tests.unit.domain.test_account import ACCOUNT, ADA

CREATE = CreateToken(
    token_id="t", account_id=ADA.id, name="ci", token_hash="h", scopes=(Scope.WRITE, Scope.READ), expires_at=9
)
CREATED = TokenCreated(
    token_id="t",
    account_id=ADA.id,
    name="ci",
    token_hash="h",
    scopes=(Scope.READ, Scope.WRITE),
    expires_at=9,
    epoch=0,
)
REVOKED = TokenRevoked(token_id="t", account_id=ADA.id)
REVOKE = RevokeToken(token_id="t", account_id=ADA.id)


def given(*events, used=INITIAL):
    state = reduce(decider.evolve, events, decider.INITIAL)
    return lambda command, actor=ADA: decider.decide(ACCOUNT, used, state, command, actor)


def refused(when, command, code, actor=ADA):
    with pytest.raises(Refusal) as caught:
        when(command, actor)
    assert caught.value.specific_code == code


def test_a_token_is_made_for_oneself_alone():
    assert given()(CREATE) == (CREATED,)
    refused(given(), CREATE, "forbidden", ADMIN)
    refused(given(CREATED), CREATE, "token_exists")
    refused(given(), replace(CREATE, scopes=()), "invalid")
    refused(given(), replace(CREATE, name=""), "invalid")


def test_a_token_makes_none_that_may_do_more():
    narrow = replace(ADA, scopes=frozenset({Scope.ACCOUNT, Scope.READ}))
    refused(given(), CREATE, "scope_required", narrow)
    assert given()(replace(CREATE, scopes=(Scope.READ,)), narrow)


def test_a_token_is_revoked_by_its_account_or_an_administrator():
    assert given(CREATED)(REVOKE) == (REVOKED,)
    assert given(CREATED)(REVOKE, ADMIN) == (REVOKED,)
    refused(given(CREATED), REVOKE, "role_required", STRANGER)
    refused(given(), REVOKE, "token_not_found")
    assert given(CREATED, REVOKED)(REVOKE) == ()


def test_when_a_token_is_good():
    token = decider.evolve(decider.INITIAL, CREATED)
    assert token.is_valid(ACCOUNT, INITIAL, 8)
    assert not token.is_valid(ACCOUNT, INITIAL, 9)
    assert not decider.evolve(token, REVOKED).is_valid(ACCOUNT, INITIAL, 8)
    assert not token.is_valid(replace(ACCOUNT, exists=False), INITIAL, 8)


def test_a_token_ends_together_with_all_others():
    after = replace(INITIAL, epoch=1, token_epoch=1)
    assert not decider.evolve(decider.INITIAL, CREATED).is_valid(ACCOUNT, after, 8)
    (created,) = given(used=after)(CREATE)
    assert decider.evolve(decider.INITIAL, created).is_valid(ACCOUNT, after, 8)


def test_a_caller_of_before_the_end_makes_no_token_after_it():
    late = replace(CREATE, epoch=0)
    refused(given(used=replace(INITIAL, epoch=1, token_epoch=1)), late, "session_ended")
    assert given()(late) == (CREATED,)


def test_an_unverified_address_gets_no_tokens():
    refused(given(), CREATE, "email_unverified", replace(ADA, verified=False))


RECORD = RecordOperatorToken(
    token_id="t",
    principal_id=ADA.id,
    operated_by="service:cli",
    roles=(Role.USER,),
    tier=Tier.PRO,
    issued_at=1,
    expires_at=9,
)


def test_the_first_use_of_an_operators_token_is_recorded_once():
    (used,) = decider.decide_record(decider.INITIAL, RECORD, ADMIN)
    assert (used.principal_id, used.operated_by, used.expires_at) == (ADA.id, "service:cli", 9)
    state = decider.evolve(decider.INITIAL, used)
    assert decider.decide_record(state, RECORD, ADMIN) == ()
    assert state.account_id == ""  # nobody signs in with it as an API token
    refused(given(used), REVOKE, "token_not_found")
    with pytest.raises(Refusal):
        decider.decide_record(decider.INITIAL, RECORD, STRANGER)

from functools import reduce

import pytest
from msgspec.structs import replace

from domain.errors import Refusal
from domain.policy import Scope
from domain.token import decider
from domain.token.commands import CreateToken, RevokeToken
from domain.token.events import TokenCreated, TokenRevoked
from tests.unit.domain.people import ADMIN, STRANGER
from tests.unit.domain.test_account import ACCOUNT, ADA

CREATE = CreateToken(
    token_id="t", account_id=ADA.id, name="ci", token_hash="h", scopes=(Scope.WRITE, Scope.READ), expires_at=9
)
CREATED = TokenCreated(
    token_id="t", account_id=ADA.id, name="ci", token_hash="h", scopes=(Scope.READ, Scope.WRITE), expires_at=9
)
REVOKED = TokenRevoked(token_id="t", account_id=ADA.id)
REVOKE = RevokeToken(token_id="t", account_id=ADA.id)


def given(*events):
    state = reduce(decider.evolve, events, decider.INITIAL)
    return lambda command, actor=ADA: decider.decide(ACCOUNT, state, command, actor)


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
    assert token.is_valid(ACCOUNT, 8)
    assert not token.is_valid(ACCOUNT, 9)
    assert not decider.evolve(token, REVOKED).is_valid(ACCOUNT, 8)
    assert not token.is_valid(replace(ACCOUNT, exists=False), 8)

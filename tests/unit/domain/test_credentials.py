from functools import reduce

import pytest
from msgspec.structs import replace

from domain.account import decider as accounts
from domain.account.events import AccountErased
from domain.actor import Actor, Role
from domain.credentials import decider
from domain.credentials.commands import (
    ChangePassword,
    DisableTotp,
    EnableTotp,
    PrepareTotp,
    RehashPassword,
    RevokeSessions,
    UseRecoveryCode,
    UseTotp,
)
from domain.credentials.events import (
    PasswordChanged,
    PasswordRehashed,
    RecoveryCodeUsed,
    SessionsRevoked,
    TotpDisabled,
    TotpEnabled,
    TotpPrepared,
    TotpUsed,
)
from domain.errors import Refusal
from tests.unit.domain.people import ADMIN, STRANGER
from tests.unit.domain.test_account import ACCOUNT, ADA

ID = ADA.id
PREPARED = TotpPrepared(account_id=ID, secret="sealed")
ENABLED = TotpEnabled(account_id=ID, step=100, recovery_hashes=("h0", "h1"))


def given(*events, account=ACCOUNT):
    state = reduce(decider.evolve, events, decider.INITIAL)

    def when(command, actor=ADA):
        return decider.decide(account, state, command, actor)

    return when


def refused(when, command, code, actor=ADA):
    with pytest.raises(Refusal) as caught:
        when(command, actor)
    assert caught.value.specific_code == code


def test_a_new_password_ends_the_sessions_but_one():
    changed = PasswordChanged(account_id=ID, password_hash="new", kept_session="s1", tokens_revoked=False)
    command = ChangePassword(account_id=ID, password_hash="new", kept_session="s1", epoch=0)
    assert given()(command) == (changed,)
    state = decider.evolve(decider.INITIAL, changed)
    assert state.password_of(ACCOUNT) == "new"
    assert state.keeps("s1", 0)
    assert not state.keeps("s2", 0)
    assert state.keeps("s2", 1)


def test_a_reset_is_good_once():
    changed = PasswordChanged(account_id=ID, password_hash="new", kept_session=None, tokens_revoked=False)
    command = ChangePassword(account_id=ID, password_hash="newer", kept_session=None, epoch=0)
    refused(given(changed), command, "reset_used")


CHANGED = PasswordChanged(account_id=ID, password_hash="new", kept_session=None, tokens_revoked=False)
ENDED = SessionsRevoked(account_id=ID, kept_session=None, tokens_revoked=False)


@pytest.mark.parametrize(
    "since", [[CHANGED], [ENDED], [PREPARED, ENABLED], [PREPARED, ENABLED, TotpDisabled(account_id=ID)]]
)
def test_a_reset_ends_with_the_password_the_sessions_and_the_second_factor(since):
    state = decider.reset_state(ACCOUNT, decider.INITIAL)
    command = ChangePassword(
        account_id=ID, password_hash="newer", kept_session=None, epoch=None, reset=state, revoke_tokens=True
    )
    (changed,) = given()(command)
    assert changed.tokens_revoked
    refused(given(*since), command, "reset_used")
    refused(given(), replace(command, reset=""), "reset_used")


def test_a_reset_ends_with_the_address():
    state = decider.reset_state(ACCOUNT, decider.INITIAL)
    command = ChangePassword(account_id=ID, password_hash="newer", kept_session=None, epoch=None, reset=state)
    refused(given(account=replace(ACCOUNT, email_claim="e2")), command, "reset_used")


def test_all_tokens_end_with_the_sessions_where_that_is_wanted():
    assert reduce(decider.evolve, (CHANGED, ENDED), decider.INITIAL).token_epoch == 0
    ended = [replace(CHANGED, tokens_revoked=True), replace(ENDED, tokens_revoked=True)]
    assert reduce(decider.evolve, ended, decider.INITIAL).token_epoch == 2


def test_an_account_with_an_unverified_address_gets_no_second_factor():
    """Otherwise the owner of the address could not take the account over."""
    unverified = replace(ADA, verified=False)
    command = EnableTotp(account_id=ID, secret="sealed", step=100, recovery_hashes=())
    refused(given(), PrepareTotp(account_id=ID, secret="sealed"), "email_unverified", unverified)
    refused(given(PREPARED), command, "email_unverified", unverified)


def test_a_password_is_hashed_again_unless_it_was_changed_meanwhile():
    command = RehashPassword(account_id=ID, replaced=ACCOUNT.password_hash, password_hash="better")
    assert given()(command) == (PasswordRehashed(account_id=ID, password_hash="better"),)
    changed = PasswordChanged(account_id=ID, password_hash="new", kept_session=None, tokens_revoked=False)
    assert given(changed)(command) == ()


def test_all_sessions_end():
    command = RevokeSessions(account_id=ID, kept_session=None)
    revoked = SessionsRevoked(account_id=ID, kept_session=None, tokens_revoked=False)
    assert given()(command) == (revoked,)
    assert given()(command, ADMIN) == (revoked,)
    refused(given(), command, "role_required", STRANGER)
    assert not reduce(decider.evolve, (revoked,), decider.INITIAL).keeps("any", 0)


def test_one_time_passwords_from_beginning_to_end():
    assert given()(PrepareTotp(account_id=ID, secret="sealed")) == (PREPARED,)
    command = EnableTotp(account_id=ID, secret="sealed", step=100, recovery_hashes=("h0", "h1"))
    assert given(PREPARED)(command) == (ENABLED,)
    refused(given(), command, "mfa_not_prepared")
    refused(given(PREPARED, TotpPrepared(account_id=ID, secret="other")), command, "mfa_not_prepared")
    refused(given(PREPARED, ENABLED), command, "mfa_enabled")
    refused(given(PREPARED, ENABLED), PrepareTotp(account_id=ID, secret="x"), "mfa_enabled")
    disable = DisableTotp(account_id=ID)
    assert given(PREPARED, ENABLED)(disable) == (TotpDisabled(account_id=ID),)
    refused(given(PREPARED), disable, "mfa_not_enabled")
    refused(given(PREPARED, ENABLED, TotpDisabled(account_id=ID)), disable, "mfa_not_enabled")


@pytest.mark.parametrize("step", [99, 100])
def test_a_one_time_password_is_good_once_and_none_before_it_after(step):
    used = TotpUsed(account_id=ID, step=101)
    assert given(PREPARED, ENABLED)(UseTotp(account_id=ID, step=101)) == (used,)
    refused(given(PREPARED, ENABLED), UseTotp(account_id=ID, step=step), "code_used")
    refused(given(PREPARED, ENABLED, used), UseTotp(account_id=ID, step=101), "code_used")


def test_a_recovery_code_is_good_once():
    command = UseRecoveryCode(account_id=ID, code_hash="h1")
    used = RecoveryCodeUsed(account_id=ID, number=1)
    assert given(PREPARED, ENABLED)(command) == (used,)
    refused(given(PREPARED, ENABLED, used), command, "code_used")
    refused(
        given(PREPARED, ENABLED, used), UseRecoveryCode(account_id=ID, code_hash=decider.USED), "code_used"
    )
    assert given(PREPARED, ENABLED, used)(UseRecoveryCode(account_id=ID, code_hash="h0")) == (
        RecoveryCodeUsed(account_id=ID, number=0),
    )


def test_credentials_are_ones_own_and_end_with_the_account():
    command = DisableTotp(account_id=ID)
    refused(given(PREPARED, ENABLED), command, "forbidden", ADMIN)
    refused(given(PREPARED, ENABLED), command, "forbidden", STRANGER)
    erased = accounts.evolve(ACCOUNT, AccountErased(account_id=ID, authors=()))
    refused(given(PREPARED, ENABLED, account=erased), command, "account_not_found")
    auditor = Actor(id=ID, roles=frozenset({Role.AUDITOR}))
    assert given(PREPARED, ENABLED)(command, auditor)

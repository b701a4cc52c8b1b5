from functools import reduce

import pytest
from hypothesis import given as law
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.credentials import decider as credentials
from domain.credentials.events import SessionsRevoked
from domain.errors import Refusal
from domain.session import decider
from domain.session.commands import EndSession, OpenSession, RefreshSession
from domain.session.events import EndReason, SessionEnded, SessionOpened, SessionRefreshed
from tests.unit.domain.people import ADMIN, STRANGER
from tests.unit.domain.test_account import ACCOUNT, ADA

ID = ADA.id
OPENED = SessionOpened(
    session_id="s",
    account_id=ID,
    epoch=0,
    token_id="t1",
    opened_at=0,
    expires_at=1_000,
    user_agent="ua",
    address="::1",
)
WITH_TOTP = credentials.Credentials(totp_secret="sealed")
REVOKED = reduce(
    credentials.evolve,
    [SessionsRevoked(account_id=ID, kept_session=None, tokens_revoked=False)],
    credentials.INITIAL,
)


def given(*events, used=credentials.INITIAL, account=ACCOUNT):
    state = reduce(decider.evolve, events, decider.INITIAL)
    return lambda command, actor=ADA: decider.decide(account, used, state, command, actor)


def refresh(token, following="t2", at=500, account_id=ID):
    return RefreshSession(
        session_id="s", account_id=account_id, token_id=token, next_token_id=following, at=at
    )


def refused(when, command, code, actor=ADA):
    with pytest.raises(Refusal) as caught:
        when(command, actor)
    assert caught.value.specific_code == code


def test_a_session_is_opened_once():
    command = OpenSession(
        session_id="s",
        account_id=ID,
        token_id="t1",
        opened_at=0,
        expires_at=1_000,
        user_agent="ua",
        address="::1",
        epoch=0,
        second_factor=False,
    )
    assert given()(command) == (OPENED,)
    refused(given(OPENED), command, "session_exists")
    refused(given(used=REVOKED), command, "session_ended")
    assert given(used=REVOKED)(replace(command, epoch=1))[0].epoch == 1
    refused(given(used=WITH_TOTP), command, "session_ended")
    assert given(used=WITH_TOTP)(replace(command, second_factor=True)) == (OPENED,)


def test_a_refresh_token_is_exchanged():
    refreshed = SessionRefreshed(session_id="s", account_id=ID, token_id="t2")
    assert given(OPENED)(refresh("t1")) == (refreshed,)
    assert given(OPENED, refreshed)(refresh("t2", "t3")) == (
        SessionRefreshed(session_id="s", account_id=ID, token_id="t3"),
    )


def test_a_second_use_ends_the_session():
    refreshed = SessionRefreshed(session_id="s", account_id=ID, token_id="t2")
    ended = SessionEnded(session_id="s", account_id=ID, reason=EndReason.REUSE)
    assert given(OPENED, refreshed)(refresh("t1")) == (ended,)
    refused(given(OPENED, refreshed, ended), refresh("t2"), "session_ended")


@pytest.mark.parametrize(
    ("when", "command"),
    [
        (given(), refresh("t1")),
        (given(OPENED), refresh("t1", at=1_000)),
        (given(OPENED, used=REVOKED), refresh("t1")),
        (given(OPENED), refresh("t1", account_id="other")),
        (given(OPENED, SessionEnded(session_id="s", account_id=ID, reason=EndReason.LOGOUT)), refresh("t1")),
    ],
    ids=["unknown", "expired", "all ended", "another's", "signed out"],
)
def test_what_has_ended_is_not_refreshed(when, command):
    refused(when, command, "session_ended")


def test_a_session_is_ended_by_its_account_or_an_administrator():
    command = EndSession(session_id="s", account_id=ID, reason=EndReason.REVOKED)
    ended = SessionEnded(session_id="s", account_id=ID, reason=EndReason.REVOKED)
    assert given(OPENED)(command) == (ended,)
    assert given(OPENED)(command, ADMIN) == (ended,)
    refused(given(OPENED), command, "role_required", STRANGER)
    assert given(OPENED, ended)(command) == ()
    refused(given(), command, "session_not_found")


@law(st.lists(st.sampled_from(["now", "old", "never"]), max_size=8))
def test_one_token_at_a_time_is_good_and_an_old_one_ends_all(uses):
    """Old tokens are used in any order: from then on no token of the family is valid."""
    state, number, ended = decider.evolve(decider.INITIAL, OPENED), 1, False
    for use in uses:
        token = {"now": f"t{number}", "old": f"t{number - 1}", "never": "forged"}[use]
        try:
            events = decider.decide(
                ACCOUNT, credentials.INITIAL, state, refresh(token, f"t{number + 1}"), ADA
            )
        except Refusal:
            assert ended
            continue
        assert not ended
        state = reduce(decider.evolve, events, state)
        number, ended = number + (use == "now"), use != "now"
        assert (state.ended is not None) is ended

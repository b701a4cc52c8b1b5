"""The sender of a request: the principal of its token, and what it may do."""

from types import SimpleNamespace

import pytest

from domain.actor import ANONYMOUS, SERVICE, Actor, Role
from read_api.auth.principals import Principal
from read_api.gateway.caller import Caller
from read_api.problems import HttpError

ADA = Actor(id="ada", roles=frozenset({Role.USER}))
SCOPED = Actor(id="ada", roles=frozenset({Role.USER}), scopes=frozenset())


class Principals:
    """Knows the principal of each token, and which of them are no longer valid."""

    def __init__(self):
        self.known = {
            "open": Principal(ADA, session="s"),
            "recent": Principal(ADA, session="r"),
            "api": Principal(SCOPED, token="t"),
            "operator": Principal(SERVICE),
        }
        self.valid = True
        self.read = []

    def of(self, token):
        self.read.append(token)
        return self.known[token]

    def is_still_valid(self, principal):
        return self.valid

    def is_recent(self, session):
        return session == "r"


@pytest.fixture
def principals():
    return Principals()


@pytest.fixture
def caller(principals):
    return lambda authorization: Caller(SimpleNamespace(principals=principals), authorization)


def test_a_request_without_a_token_is_anonymous_and_reads_none(principals, caller):
    assert caller(None).principal.actor == ANONYMOUS
    assert caller(None).session is None
    assert principals.read == []


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic YTpi", "open"])
def test_a_header_without_a_bearer_token_is_refused(caller, authorization):
    with pytest.raises(HttpError) as refused:
        _ = caller(authorization).principal
    assert (refused.value.status, refused.value.code) == (401, "invalid_token")
    assert "WWW-Authenticate" in refused.value.headers


def test_a_token_is_read_once_and_again_to_authenticate_again(principals, caller):
    sender = caller("bearer  open ")
    assert (sender.principal.actor, sender.session, sender.signed_in()) == (ADA, "s", ADA)
    assert principals.read == ["open"]
    sender.authenticate()
    assert principals.read == ["open", "open"]


def test_an_anonymous_sender_is_not_signed_in(caller):
    with pytest.raises(HttpError) as refused:
        caller(None).signed_in()
    assert (refused.value.status, refused.value.code) == (401, "authentication_required")


@pytest.mark.parametrize(
    ("token", "enough"), [("recent", True), ("operator", True), ("open", False), ("api", False)]
)
def test_a_recent_sign_in_is_needed_where_there_is_something_to_sign_in_to(caller, token, enough):
    sender = caller(f"Bearer {token}")
    if enough:
        assert sender.signed_in_recently() == sender.principal.actor
        return
    with pytest.raises(HttpError) as refused:
        sender.signed_in_recently()
    assert (refused.value.status, refused.value.code) == (401, "insufficient_user_authentication")
    assert 'max_age="900"' in refused.value.headers["WWW-Authenticate"]


def test_a_sender_is_authorized_until_the_credentials_are_no_longer_valid(principals, caller):
    sender = caller("Bearer open")
    principals.valid = False
    assert sender.is_still_authorized(), "a token that was never read cannot have been revoked"
    _ = sender.principal
    assert not sender.is_still_authorized()
    principals.valid = True
    assert sender.is_still_authorized()

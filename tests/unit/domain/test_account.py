import pytest
from msgspec.structs import replace

from domain.account import decider
from domain.account.commands import ChangeProfile, ChangeStanding, RegisterAccount, VerifyAddress
from domain.account.decider import UNCHANGED, UNCLAIMED, Claim
from domain.account.events import (
    AccountProfileChanged,
    AccountRegistered,
    AccountStandingChanged,
    AddressVerified,
    ClaimReleased,
    ClaimTaken,
)
from domain.actor import Actor, Role, Tier
from domain.errors import Refusal
from domain.limits import EMAIL_LENGTH
from tests.unit.domain.people import ADMIN, ANONYMOUS, AUDITOR, STRANGER

ADA = Actor(id="ada-id", roles=frozenset({Role.USER}))
HERS = Claim(account_id=ADA.id)
TAKEN = Claim(account_id="other")
WHO = {
    "account_id": ADA.id,
    "email": "ada@example.org",
    "name": "ada",
    "password_hash": "$argon2id$",
    "email_claim": "e1",
    "name_claim": "n1",
}
REGISTERED = AccountRegistered(**WHO, roles=(Role.USER,), tier=Tier.FREE, verified=True)
ACCOUNT = decider.evolve(decider.INITIAL, REGISTERED)
TAKES, RELEASES = ClaimTaken(account_id=ADA.id), ClaimReleased(account_id=ADA.id)


def register(email_held=UNCLAIMED, name_held=UNCLAIMED, account=decider.INITIAL, **fields):
    command = RegisterAccount(**{**WHO, **fields})
    return decider.decide_register(account, email_held, name_held, command, ANONYMOUS)


def profile(email=None, name=None, actor=ADA, account=ACCOUNT, **claims):
    command = ChangeProfile(
        account_id=ADA.id,
        email=email and email[0],
        email_claim=email and email[1],
        name=name and name[0],
        name_claim=name and name[1],
    )
    known = {"e1": HERS, "n1": HERS, "e2": UNCLAIMED, "n2": UNCLAIMED, **claims}
    return decider.decide_profile(account, known, command, actor)


def standing(roles=None, tier=None, actor=ADMIN, account=ACCOUNT):
    command = ChangeStanding(account_id=ADA.id, roles=roles, tier=tier)
    return decider.decide_standing(account, command, actor)


def refused(code, pointer, decide, *args, **kwargs):
    with pytest.raises(Refusal) as caught:
        decide(*args, **kwargs)
    assert (caught.value.specific_code, caught.value.pointer) == (code, pointer)


def test_register():
    decision = register()
    assert decision.account == (REGISTERED,)
    assert decision.claims == (("e1", TAKES), ("n1", TAKES))


def test_register_what_is_taken():
    refused("email_taken", "/email", register, email_held=TAKEN)
    refused("name_taken", "/name", register, name_held=TAKEN)


def test_register_again():
    assert register(HERS, HERS, account=ACCOUNT) == UNCHANGED


def test_register_another_under_the_same_id():
    refused("account_exists", None, register, HERS, UNCLAIMED, account=ACCOUNT, name_claim="n2")


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
        "a@b c",
        "a@b\n",
        "a\x00@b",
        "a@\x9f",
        "\ud800@b",
        "a" * EMAIL_LENGTH + "@b",
    ],
)
def test_a_bad_address(email):
    refused("invalid", "/email", register, email=email)
    refused("invalid", "/email", profile, email=(email, "e2"))


@pytest.mark.parametrize("name", ["", "-ada", "a" * 40, "a_b", "a b", "ada\n", "é"])
def test_a_bad_name(name):
    refused("invalid", "/name", register, name=name)
    refused("invalid", "/name", profile, name=(name, "n2"))


def test_change_the_address():
    decision = profile(email=("new@example.org", "e2"))
    assert decision.account == (changed(email="new@example.org", email_claim="e2", verified=True),)
    assert decision.claims == (("e2", TAKES), ("e1", RELEASES))


def test_change_the_name():
    decision = profile(name=("lovelace", "n2"))
    assert decision.account == (changed(name="lovelace", name_claim="n2"),)
    assert decision.claims == (("n2", TAKES), ("n1", RELEASES))


def test_change_both_where_one_stays():
    decision = profile(email=("ada@example.org", "e1"), name=("lovelace", "n2"))
    assert decision.account == (changed(name="lovelace", name_claim="n2"),)


def test_change_nothing():
    assert profile() == UNCHANGED
    assert profile(email=("ADA@example.org", "e1"), name=("Ada", "n1")) == UNCHANGED


def test_change_to_what_is_taken():
    refused("email_taken", "/email", profile, email=("x@y", "e2"), e2=TAKEN)
    refused("name_taken", "/name", profile, name=("x", "n2"), n2=TAKEN)


def test_who_changes_a_profile():
    assert profile(name=("x", "n2"), actor=ADMIN).account
    refused("role_required", None, profile, actor=STRANGER)
    refused("authentication_required", None, profile, actor=ANONYMOUS)
    refused("account_not_found", None, profile, account=decider.INITIAL)


def test_a_profile_changed_twice_changes_once():
    decision = profile(email=("x@y", "e2"), name=("x", "n2"))
    after = decider.evolve(ACCOUNT, decision.account[0])
    assert profile(email=("x@y", "e2"), name=("x", "n2"), account=after, e2=HERS, n2=HERS) == UNCHANGED


def test_change_the_standing():
    expected = AccountStandingChanged(account_id=ADA.id, roles=(Role.USER, Role.ADMIN), tier=Tier.FREE)
    assert standing(roles=(Role.ADMIN, Role.USER, Role.ADMIN)) == (expected,)
    expected = AccountStandingChanged(account_id=ADA.id, roles=(Role.USER,), tier=Tier.PRO)
    assert standing(tier=Tier.PRO) == (expected,)


def test_an_equal_standing():
    assert standing() == ()
    assert standing(roles=(Role.USER, Role.USER), tier=Tier.FREE) == ()


def test_an_account_has_a_role():
    refused("invalid", "/roles", standing, roles=())


@pytest.mark.parametrize(
    ("actor", "code"),
    [(ADA, "role_required"), (AUDITOR, "role_required"), (ANONYMOUS, "authentication_required")],
)
def test_only_administrators_change_a_standing(actor, code):
    refused(code, None, standing, tier=Tier.PRO, actor=actor)


def test_the_standing_of_nobody():
    refused("account_not_found", None, standing, account=decider.INITIAL)


def test_the_state_follows():
    account = decider.evolve(ACCOUNT, changed(name="x", name_claim="n2"))
    assert (account.email_claim, account.name_claim, account.password_hash) == ("e1", "n2", "$argon2id$")
    event = AccountStandingChanged(account_id=ADA.id, roles=(Role.ADMIN,), tier=Tier.PRO)
    account = decider.evolve(account, event)
    assert (account.roles, account.tier, account.name_claim) == ((Role.ADMIN,), Tier.PRO, "n2")


def test_a_claim_is_taken_and_released():
    assert decider.evolve_claim(UNCLAIMED, TAKES) == HERS
    assert decider.evolve_claim(HERS, RELEASES) == UNCLAIMED


UNVERIFIED = decider.evolve(decider.INITIAL, replace(REGISTERED, verified=False))
VERIFIED = AddressVerified(account_id=ADA.id)


def verify(email_claim="e1", account=UNVERIFIED, actor=ADA):
    return decider.decide_verify(account, VerifyAddress(account_id=ADA.id, email_claim=email_claim), actor)


def test_an_address_is_verified_once():
    assert register(verified=False).account == (replace(REGISTERED, verified=False),)
    assert verify() == (VERIFIED,)
    verified = decider.evolve(UNVERIFIED, VERIFIED)
    assert verified.verified
    assert verify(account=verified) == ()
    refused("account_not_found", None, verify, account=decider.INITIAL)


def test_a_mail_to_an_address_of_before_verifies_no_other():
    moved = changed(email="new@example.org", email_claim="e2", verified=False)
    after = decider.evolve(ACCOUNT, moved)
    assert not after.verified
    refused("verification_outdated", None, verify, account=after)
    assert verify("e2", account=after) == (VERIFIED,)


def test_without_a_mail_only_an_administrator_verifies_an_address():
    assert verify(None, actor=ADMIN) == (VERIFIED,)
    refused("role_required", None, verify, None)


def test_a_new_name_leaves_the_address_verified_or_not():
    for account in (ACCOUNT, UNVERIFIED):
        after = decider.evolve(account, changed(name="x", name_claim="n2"))
        assert after.verified is account.verified


@pytest.mark.parametrize(
    "email",
    [
        "\ufb00@example.org",  # the ligature of two f
        "\uff41@example.org",  # a fullwidth a
        "a\u200bda@example.org",  # a space without width
        "a\u00adda@example.org",  # a soft hyphen
        "ada@ex\ufb00ample.org",
        "ada@-\u00e9-.org",
    ],
)
def test_an_address_that_only_looks_like_another_is_refused(email):
    refused("invalid", "/email", register, email=email)
    refused("invalid", "/email", profile, email=(email, "e2"))


def changed(**fields):
    values = {
        "email": None,
        "name": None,
        "email_claim": None,
        "name_claim": None,
        "verified": None,
        **fields,
    }
    return AccountProfileChanged(account_id=ADA.id, **values)

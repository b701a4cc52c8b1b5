"""The quotas of the tiers, and what passes them."""

import pytest

from domain.actor import SERVICE, Tier
from domain.quotas import Amounts, Payer, exceeded, passed, quotas_of, too_many_collaborators

GIB = 1024**3
MOST = Amounts(projects=2, files=10, bytes=100)


def test_each_tier_has_its_quotas():
    free, pro = quotas_of("a", Tier.FREE), quotas_of("a", Tier.PRO)
    assert free is not None
    assert pro is not None
    assert (free.most, free.collaborators) == (Amounts(100, 10_000, GIB), 20)
    assert (pro.most, pro.collaborators) == (Amounts(1_000, 100_000, 10 * GIB), 200)
    assert quotas_of("a", Tier.ENTERPRISE) is None


def test_services_have_no_quotas_whatever_their_tier():
    assert quotas_of(SERVICE.id, Tier.FREE) is None


@pytest.mark.parametrize(
    ("used", "growth", "name"),
    [
        (Amounts(1, 9, 99), Amounts(1, 1, 1), None),
        (Amounts(2, 0, 0), Amounts(projects=1), "projects"),
        (Amounts(0, 9, 0), Amounts(files=2), "files"),
        (Amounts(0, 0, 100), Amounts(files=1, bytes=1), "bytes"),
        (Amounts(5, 50, 500), Amounts(), None),
        (Amounts(5, 50, 500), Amounts(files=-1, bytes=-7), None),
        (Amounts(0, 50, 0), Amounts(files=-1, bytes=7), None),
        (Amounts(0, 50, 500), Amounts(files=-1, bytes=7), "bytes"),
    ],
)
def test_only_what_grows_passes_a_quota(used, growth, name):
    assert passed(used, growth, MOST) == name


def payer(**fields):
    quotas = quotas_of("a", Tier.FREE)
    assert quotas is not None
    return Payer("a", Tier.FREE, quotas, **fields)


def test_a_refusal_says_what_is_used_what_is_allowed_and_what_to_do():
    refusal = exceeded("files", Amounts(3, 9_999, 7), Amounts(files=2, bytes=5), payer())
    assert refusal.specific_code == "quota_exceeded"
    assert refusal.message == (
        "the tier free allows 10,000 files: the account that owns the project has 9,999, and this would add "
        "2. Delete files, or ask an administrator for a larger tier"
    )
    assert too_many_collaborators(20, payer()).message == (
        "the tier free allows 20 collaborators in a project, and this one has 20: remove one first, or ask "
        "an administrator for a larger tier"
    )


@pytest.mark.parametrize("name", ["projects", "files", "bytes"])
def test_others_do_not_learn_what_the_owner_has(name):
    message = exceeded(name, Amounts(99, 9_999, 7), Amounts(2, 2, 2), payer(told=False)).message
    assert "owner" in message
    assert not any(each.isdigit() for each in message)
    assert "free" not in too_many_collaborators(20, payer(told=False)).message


def test_amounts_add_up():
    assert Amounts(1, 2, 3) + Amounts(1, 1, 1) - Amounts(2, 5, 0) == Amounts(0, -2, 4)
    assert Amounts(0, -2, 4).without_losses() == Amounts(bytes=4)

from domain.actor import ANONYMOUS, SERVICE, Actor, Role


def test_nobody():
    assert ANONYMOUS.is_anonymous
    assert not ANONYMOUS.is_admin
    assert not ANONYMOUS.sees_all


def test_the_service_may_do_everything():
    assert SERVICE.is_admin
    assert SERVICE.sees_all
    assert not SERVICE.is_anonymous


def test_auditors_see_all_but_administer_nothing():
    auditor = Actor(id="a", roles=frozenset({Role.AUDITOR}))
    assert auditor.sees_all
    assert not auditor.is_admin

import pytest

from domain.inbox import decider
from domain.inbox.commands import ReadNotifications
from domain.inbox.events import NotificationsRead
from domain.limits import READ_IDS
from tests.unit.domain.people import ADMIN, ANONYMOUS, OWNER, STRANGER
from tests.unit.domain.scenario import given


def read(ids):
    return ReadNotifications(account_id=OWNER.id, ids=ids)


def was_read(ids):
    return NotificationsRead(account_id=OWNER.id, ids=ids)


def test_read_some():
    given(decider).when(read(("n1", "n2", "n1")), OWNER).then(was_read(("n1", "n2")))


def test_read_the_same_again():
    given(decider, was_read(("n1",))).when(read(("n1",)), OWNER).then()
    given(decider, was_read(("n1",))).when(read(("n2",)), OWNER).then(was_read(("n2",)))


def test_read_none():
    given(decider).when(read(()), OWNER).then()


def test_reading_all_is_recorded_each_time():
    given(decider, was_read(None)).when(read(None), OWNER).then(was_read(None))


@pytest.mark.parametrize(
    ("actor", "code"),
    [(STRANGER, "forbidden"), (ADMIN, "forbidden"), (ANONYMOUS, "authentication_required")],
)
def test_nobody_reads_for_another(actor, code):
    given(decider).when(read(None), actor).refused(code)


def test_how_many_at_once():
    most = tuple(f"n{index}" for index in range(READ_IDS))
    given(decider).when(read(most), OWNER).then(was_read(most))
    given(decider).when(read((*most, "n")), OWNER).refused("invalid", "/ids")


def test_a_bad_id():
    given(decider).when(read(("n1", "")), OWNER).refused("invalid", "/ids/1")


def test_the_state_does_not_grow():
    state = decider.INITIAL
    for index in range(1_000):
        state = decider.evolve(state, was_read((f"n{index}",)))
    assert state.last == ("n999",)

import msgspec
import pytest

from domain.build import decider
from domain.build.commands import MoveBuild, QueueBuild
from domain.build.events import BuildQueued, BuildStatus, BuildStatusChanged
from domain.limits import NAME_LENGTH
from tests.unit.domain.people import EDITOR, OWNER, PRIVATE, PROJECT_ID, STRANGER, VIEWER
from tests.unit.domain.scenario import given

ID = {"project_id": PROJECT_ID, "build_id": "b1"}
QUEUED = BuildQueued(**ID, name="CI", commit="abcd")
STATUS = BuildStatus
ALLOWED = {
    (STATUS.QUEUED, STATUS.RUNNING),
    (STATUS.QUEUED, STATUS.CANCELLED),
    (STATUS.RUNNING, STATUS.PASSED),
    (STATUS.RUNNING, STATUS.FAILED),
    (STATUS.RUNNING, STATUS.CANCELLED),
}


def queue(name="CI", commit="abcd"):
    return QueueBuild(**ID, name=name, commit=commit)


def move(status):
    return MoveBuild(**ID, status=status)


def moved(status):
    return BuildStatusChanged(**ID, status=status)


def build(*events):
    return given(decider, *events, project=PRIVATE)


def test_queue():
    build().when(queue(), EDITOR).then(QUEUED)
    build().when(queue(commit=None), EDITOR).then(BuildQueued(**ID, name="CI", commit=None))


def test_queue_needs_an_editor():
    build().when(queue(), VIEWER).refused("role_required")
    build().when(queue(), STRANGER).refused("project_not_found")


def test_queue_with_an_id_that_exists():
    build(QUEUED).when(queue(), EDITOR).refused("build_exists")


def test_queue_with_invalid_fields():
    build().when(queue(name=""), EDITOR).refused("invalid", "/name")
    build().when(queue(name="n" * (NAME_LENGTH + 1)), EDITOR).refused("invalid", "/name")
    build().when(queue(commit="HEAD"), EDITOR).refused("invalid", "/commit")


@pytest.mark.parametrize("before", STATUS)
@pytest.mark.parametrize("after", STATUS)
def test_move(before, after):
    outcome = build(QUEUED, moved(before)).when(move(after), EDITOR)
    if before is after:
        outcome.then()
    elif (before, after) in ALLOWED:
        outcome.then(moved(after))
    else:
        outcome.refused("build_status")


def test_a_refused_move_names_what_is_allowed():
    message = build(QUEUED).when(move(STATUS.PASSED), EDITOR).refused("build_status")
    assert message == "a queued build can become running or cancelled"
    message = build(QUEUED, moved(STATUS.FAILED)).when(move(STATUS.PASSED), EDITOR).refused("build_status")
    assert message == "a failed build can become nothing else"


def test_move_needs_an_editor():
    build(QUEUED).when(move(STATUS.RUNNING), VIEWER).refused("role_required")


def test_a_build_that_the_project_does_not_have():
    build().when(move(STATUS.RUNNING), OWNER).refused("build_not_found")
    other = BuildQueued(project_id="p2", build_id="b1", name="CI", commit=None)
    build(other).when(move(STATUS.RUNNING), OWNER).refused("build_not_found")


def test_the_state_survives_a_snapshot():
    state = decider.evolve(decider.INITIAL, QUEUED)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=decider.Build) == state

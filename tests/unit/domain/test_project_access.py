import pytest

from domain.actor import SERVICE
from domain.errors import Refusal
from domain.policy import POLICY, ProjectRole
from domain.project.access import may_see, require, role_of
from domain.project.decider import INITIAL, evolve
from domain.project.events import ProjectDeleted
from domain.registry import COMMANDS
from tests.unit.domain.people import (
    ADMIN,
    ANALYST,
    ANONYMOUS,
    AUDITOR,
    EDITOR,
    MAINTAINER,
    OWNER,
    PRIVATE,
    PROJECT_ID,
    PUBLIC,
    STRANGER,
    VIEWER,
)

DELETED = evolve(PUBLIC, ProjectDeleted(project_id=PROJECT_ID))


@pytest.mark.parametrize(
    ("actor", "private", "public"),
    [
        (OWNER, ProjectRole.OWNER, ProjectRole.OWNER),
        (MAINTAINER, ProjectRole.MAINTAINER, ProjectRole.MAINTAINER),
        (EDITOR, ProjectRole.EDITOR, ProjectRole.EDITOR),
        (VIEWER, ProjectRole.VIEWER, ProjectRole.VIEWER),
        (STRANGER, None, ProjectRole.VIEWER),
        (ANALYST, None, ProjectRole.VIEWER),
        (AUDITOR, None, ProjectRole.VIEWER),
        (ANONYMOUS, None, None),
        (ADMIN, ProjectRole.OWNER, ProjectRole.OWNER),
        (SERVICE, ProjectRole.OWNER, ProjectRole.OWNER),
    ],
)
def test_role(actor, private, public):
    assert role_of(PRIVATE, actor) is private
    assert role_of(PUBLIC, actor) is public


@pytest.mark.parametrize(
    ("actor", "sees"),
    [(OWNER, True), (VIEWER, True), (ADMIN, True), (AUDITOR, True), (STRANGER, False), (ANONYMOUS, False)],
)
def test_who_sees_a_private_project(actor, sees):
    assert may_see(PRIVATE, actor) is sees


@pytest.mark.parametrize("actor", [ANONYMOUS, STRANGER, ANALYST])
def test_everybody_sees_a_public_project(actor):
    assert may_see(PUBLIC, actor)


@pytest.mark.parametrize("actor", [ADMIN, AUDITOR, OWNER, ANONYMOUS])
@pytest.mark.parametrize("project", [INITIAL, DELETED])
def test_nobody_sees_what_is_missing_or_deleted(project, actor):
    assert not may_see(project, actor)
    assert refusal(project, actor, "review.comment").specific_code == "project_not_found"


def test_an_invisible_project_is_not_found():
    assert refusal(PRIVATE, STRANGER, "review.comment").specific_code == "project_not_found"
    assert refusal(PRIVATE, ANONYMOUS, "review.comment").specific_code == "project_not_found"


def test_a_missing_role_is_named():
    refused = refusal(PRIVATE, VIEWER, "collaborator.set")
    assert refused.specific_code == "role_required"
    assert "maintainer" in refused.message


def test_an_auditor_sees_but_has_no_role():
    assert refusal(PRIVATE, AUDITOR, "review.comment").specific_code == "role_required"


def test_nobody_changes_anything_without_signing_in():
    assert refusal(PUBLIC, ANONYMOUS, "review.comment").specific_code == "authentication_required"


ON_PROJECTS = [name for name, rule in POLICY.items() if rule.project is not None]


def test_the_policy_is_complete_here():
    assert {command.NAME for command in COMMANDS} <= POLICY.keys()
    assert len(ON_PROJECTS) > 10


@pytest.mark.parametrize("action", ON_PROJECTS)
def test_a_role_includes_those_before_it(action):
    require(PRIVATE, OWNER, action)
    require(PRIVATE, ADMIN, action)


def refusal(project, actor, action):
    with pytest.raises(Refusal) as caught:
        require(project, actor, action)
    return caught.value

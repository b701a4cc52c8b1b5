import msgspec
import pytest

from domain.limits import DESCRIPTION_LENGTH, LANGUAGE_LENGTH, NAME_LENGTH
from domain.project import decider
from domain.project.commands import (
    CreateProject,
    DeleteProject,
    RemoveCollaborator,
    SetCollaborator,
    UpdateProject,
)
from domain.project.events import (
    CollaboratorAdded,
    CollaboratorRemoved,
    CollaboratorRole,
    CollaboratorRoleChanged,
    ProjectDeleted,
    ProjectUpdated,
    Visibility,
)
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
    STRANGER,
    TEAM,
    VIEWER,
    created,
)
from tests.unit.domain.scenario import given

DELETED = ProjectDeleted(project_id=PROJECT_ID)


def create(**fields):
    values = {"name": "Park", "description": "", "visibility": Visibility.PRIVATE, "language": None, **fields}
    return CreateProject(project_id=PROJECT_ID, **values)


def update(**changes):
    return UpdateProject(project_id=PROJECT_ID, changes=changes)


def updated(**fields):
    values = {
        "name": "Park",
        "description": "",
        "visibility": Visibility.PRIVATE,
        "language": None,
        "publish_history": False,
        **fields,
    }
    return ProjectUpdated(project_id=PROJECT_ID, **values)


def set_role(account, role):
    return SetCollaborator(project_id=PROJECT_ID, account_id=account.id, role=role)


def remove(account):
    return RemoveCollaborator(project_id=PROJECT_ID, account_id=account.id)


def team(visibility=Visibility.PRIVATE):
    return given(decider, created(visibility), *TEAM)


def test_create():
    given(decider).when(create(), OWNER).then(created())


def test_create_strips_the_name():
    given(decider).when(create(name="  Park\n"), OWNER).then(created())


def test_create_with_an_id_that_exists():
    given(decider, created()).when(create(), OWNER).refused("project_exists")
    given(decider, created(), DELETED).when(create(), OWNER).refused("project_exists")


def test_create_without_signing_in():
    given(decider).when(create(), ANONYMOUS).refused("authentication_required")


@pytest.mark.parametrize("actor", [AUDITOR, ANALYST])
def test_create_needs_the_role_user_or_admin(actor):
    given(decider).when(create(), actor).refused("role_required")


def test_administrators_create():
    (event,) = given(decider).when(create(), ADMIN).events()
    assert event.owner_id == ADMIN.id


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " \t"),
        ("name", "n" * (NAME_LENGTH + 1)),
        ("name", "a\x00b"),
        ("name", "a\nb"),
        ("name", "a\x7fb"),
        ("name", "a\x9fb"),
        ("name", "a\ud800b"),
        ("description", "d" * (DESCRIPTION_LENGTH + 1)),
        ("description", "\udfff"),
        ("language", "l" * (LANGUAGE_LENGTH + 1)),
        ("language", "a\x1bb"),
    ],
)
def test_invalid_fields(field, value):
    given(decider).when(create(**{field: value}), OWNER).refused("invalid", f"/{field}")
    team().when(update(**{field: value}), OWNER).refused("invalid", f"/{field}")


def test_the_longest_fields():
    command = create(
        name="ñ" * NAME_LENGTH, description="d" * DESCRIPTION_LENGTH, language="l" * LANGUAGE_LENGTH
    )
    assert len(given(decider).when(command, OWNER).events()) == 1


def test_a_description_has_lines():
    team().when(update(description="a\n\tb"), OWNER).then(updated(description="a\n\tb"))


def test_update_merges():
    team().when(update(language="Python"), MAINTAINER).then(updated(language="Python"))


def test_update_with_equal_values():
    command = update(name="Park", description="", visibility="private", language=None)
    team().when(command, MAINTAINER).then()
    team().when(update(), MAINTAINER).then()


def test_null_clears_description_and_language():
    given(decider, created(), updated(description="d", language="C")).when(
        update(description=None, language=None), OWNER
    ).then(updated())


def test_a_blank_language_is_none():
    given(decider).when(create(language=" "), OWNER).then(created())


def test_null_is_no_name_and_no_visibility():
    team().when(update(name=None), OWNER).refused("invalid", "/name")
    team().when(update(visibility=None), OWNER).refused("invalid", "/visibility")
    team().when(update(visibility="secret"), OWNER).refused("invalid", "/visibility")


def test_update_of_an_unknown_field():
    team().when(update(owner="me"), OWNER).refused("invalid", "/owner")


def test_update_needs_a_maintainer():
    team().when(update(name="X"), EDITOR).refused("role_required")
    team().when(update(name="X"), STRANGER).refused("project_not_found")
    team(Visibility.PUBLIC).when(update(name="X"), ANONYMOUS).refused("authentication_required")


def test_only_the_owner_changes_the_visibility():
    team().when(update(visibility="public"), MAINTAINER).refused("role_required")
    team().when(update(visibility="public"), OWNER).then(updated(visibility=Visibility.PUBLIC))


def test_a_maintainer_may_repeat_the_visibility():
    command = update(name="X", visibility="private")
    team().when(command, MAINTAINER).then(updated(name="X"))


def test_delete():
    team().when(DeleteProject(project_id=PROJECT_ID), OWNER).then(DELETED)
    team().when(DeleteProject(project_id=PROJECT_ID), ADMIN).then(DELETED)


def test_delete_needs_the_owner():
    team().when(DeleteProject(project_id=PROJECT_ID), MAINTAINER).refused("role_required")


def test_a_deleted_project_is_gone():
    gone = given(decider, created(), DELETED)
    gone.when(DeleteProject(project_id=PROJECT_ID), OWNER).refused("project_not_found")
    gone.when(update(name="X"), ADMIN).refused("project_not_found")


def test_add_a_collaborator():
    expected = CollaboratorAdded(project_id=PROJECT_ID, account_id="stranger", role=CollaboratorRole.EDITOR)
    team().when(set_role(STRANGER, CollaboratorRole.EDITOR), MAINTAINER).then(expected)


def test_change_a_collaborators_role():
    expected = CollaboratorRoleChanged(
        project_id=PROJECT_ID, account_id="viewer", role=CollaboratorRole.EDITOR
    )
    team().when(set_role(VIEWER, CollaboratorRole.EDITOR), MAINTAINER).then(expected)


def test_set_the_same_role():
    team().when(set_role(VIEWER, CollaboratorRole.VIEWER), OWNER).then()


def test_the_owner_is_no_collaborator():
    team().when(set_role(OWNER, CollaboratorRole.VIEWER), OWNER).refused("owner_collaborator")


def test_set_a_collaborator_needs_a_maintainer():
    team().when(set_role(EDITOR, CollaboratorRole.MAINTAINER), EDITOR).refused("role_required")


def test_a_collaborator_has_an_id():
    command = SetCollaborator(project_id=PROJECT_ID, account_id="", role=CollaboratorRole.VIEWER)
    team().when(command, OWNER).refused("invalid", "/accountId")


def test_remove_a_collaborator():
    expected = CollaboratorRemoved(project_id=PROJECT_ID, account_id="viewer")
    team().when(remove(VIEWER), MAINTAINER).then(expected)


def test_a_collaborator_leaves():
    team().when(remove(VIEWER), VIEWER).then(CollaboratorRemoved(project_id=PROJECT_ID, account_id="viewer"))


def test_remove_another_needs_a_maintainer():
    team().when(remove(VIEWER), EDITOR).refused("role_required")


def test_remove_who_is_no_collaborator():
    team().when(remove(STRANGER), OWNER).refused("collaborator_not_found")
    team(Visibility.PUBLIC).when(remove(STRANGER), STRANGER).refused("collaborator_not_found")


def test_who_left_has_no_role():
    removed = CollaboratorRemoved(project_id=PROJECT_ID, account_id="maintainer")
    given(decider, created(), *TEAM, removed).when(update(name="X"), MAINTAINER).refused("project_not_found")


def test_evolve_leaves_the_former_state_alone():
    before = dict(PRIVATE.collaborators)
    decider.evolve(PRIVATE, CollaboratorRemoved(project_id=PROJECT_ID, account_id="viewer"))
    assert PRIVATE.collaborators == before
    assert decider.INITIAL.collaborators == {}


def test_the_state_survives_a_snapshot():
    data = msgspec.msgpack.encode(PRIVATE)
    assert msgspec.msgpack.decode(data, type=decider.Project) == PRIVATE


def publish(**changes):
    return UpdateProject(project_id=PROJECT_ID, changes=changes, publish_history=True)


def test_the_owner_publishes_a_project_with_or_without_its_history():
    opened = updated(visibility=Visibility.PUBLIC)
    with_history = updated(visibility=Visibility.PUBLIC, publish_history=True)
    team().when(publish(visibility="public"), OWNER).then(with_history)
    given(decider, created(), opened).when(publish(), OWNER).then(with_history)
    given(decider, created(), opened, with_history).when(publish(), OWNER).then()
    given(decider, created(Visibility.PUBLIC)).when(publish(), OWNER).then()


def test_a_private_projects_history_is_not_published():
    team().when(publish(), OWNER).refused("invalid", "/publishHistory")
    team(Visibility.PUBLIC).when(publish(visibility="private"), OWNER).refused("invalid", "/publishHistory")


def test_only_the_owner_publishes_the_history():
    given(decider, created(), *TEAM, updated(visibility=Visibility.PUBLIC)).when(
        publish(), MAINTAINER
    ).refused("role_required")

"""The policy has a rule for every action, and `permit` keeps to it."""

import pytest
from msgspec.structs import replace

from domain.actor import ANONYMOUS, SERVICE, Actor, Role
from domain.command import Command
from domain.errors import ForbiddenError
from domain.policy import POLICY, Scope, administrator, member, permit
from domain.registry import COMMANDS

ACTORS = {role: Actor(id=f"somebody-{role}", roles=frozenset({role})) for role in Role}


def allowed(actor, action):
    try:
        permit(actor, action)
    except ForbiddenError:
        return False
    return True


def test_every_command_has_a_rule():
    assert {command.NAME for command in COMMANDS} <= set(POLICY)


def test_a_command_without_a_rule_is_refused():
    with pytest.raises(TypeError, match="Archive needs tag="):

        class Archive(Command, tag="thing.archive"):
            pass

    with pytest.raises(TypeError, match="Archive needs tag="):

        class Archive(Command, rule=member()):
            pass

    assert "thing.archive" not in POLICY


@pytest.mark.parametrize("action", ["project.create", "project.publish"])
def test_an_action_has_one_rule(action):
    before = POLICY[action]
    with pytest.raises(TypeError, match=f"two rules are given for the action {action}"):

        class Again(Command, tag=action, rule=administrator()):
            pass

    assert POLICY[action] is before


def test_nobody_changes_the_policy_from_outside():
    with pytest.raises(TypeError):
        POLICY["project.create"] = administrator()


@pytest.mark.parametrize("action", POLICY)
def test_a_role_is_enough_where_the_table_names_it(action):
    rule = POLICY[action]
    for role, actor in ACTORS.items():
        assert allowed(actor, action) is (rule.roles is None or role in rule.roles)
    assert allowed(ANONYMOUS, action) is (rule.roles is None)
    assert allowed(SERVICE, action)


def test_auditors_and_analysts_change_no_project():
    changing = [
        name for name, rule in POLICY.items() if rule.project is not None and name != "collaborator.leave"
    ]
    assert len(changing) > 10
    for role in (Role.AUDITOR, Role.ANALYST):
        assert not any(allowed(ACTORS[role], action) for action in changing)


@pytest.mark.parametrize("action", POLICY)
def test_a_token_is_good_for_its_scopes_alone(action):
    for scope in Scope:
        actor = replace(SERVICE, scopes=frozenset({scope}))
        assert allowed(actor, action) is (POLICY[action].scope is scope)


def test_the_refusals_say_what_is_missing():
    with pytest.raises(ForbiddenError) as nobody:
        permit(ANONYMOUS, "project.create")
    assert nobody.value.specific_code == "authentication_required"
    with pytest.raises(ForbiddenError, match="admin or user") as auditor:
        permit(ACTORS[Role.AUDITOR], "project.create")
    assert auditor.value.specific_code == "role_required"
    with pytest.raises(ForbiddenError, match="write") as narrow:
        permit(replace(SERVICE, scopes=frozenset({"read"})), "project.create")
    assert narrow.value.specific_code == "scope_required"

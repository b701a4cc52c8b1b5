"""The answer to each command shows the resource that it changed, or says nothing on purpose."""

import pytest

from commands.table.registry import CLIENT_COMMANDS
from read_api.contract.changed_resource import resource_of
from read_api.graphql.federation import schema
from read_api.graphql.mutations import field_name

SHOW_NOTHING = {"project.delete", "feedback.give", "file.delete", "notifications.read"}


@pytest.mark.parametrize("type_name", CLIENT_COMMANDS)
def test_a_payload_has_a_field_for_the_changed_resource(type_name):
    resource = resource_of(type_name)
    assert (resource is None) is (type_name in SHOW_NOTHING)
    payload = schema().mutation_type.fields[field_name(type_name)].type.fields
    outcome = {"version", "position", "commandId", "replayed", "changed"}
    assert payload.keys() - outcome == (set() if resource is None else {resource.name})

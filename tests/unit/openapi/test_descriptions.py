"""Everything in the OpenAPI document says what it is: a part that says nothing is named here."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from commands.table.registry import CLIENT_COMMANDS
from read_api.app import operations
from read_api.openapi import document

DOCUMENT = document(operations(), "1")
OPERATIONS = [operation for methods in DOCUMENT["paths"].values() for operation in methods.values()]
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
NOT_IDS = {
    "BatchCommand",
    "CommandResult",
    "EventView",
    "NotificationView",
    "Person",
    "Collaborator",
    "JobView",
}


def parts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every part that needs a description, with its place."""
    for tag in DOCUMENT["tags"]:
        yield f"tag {tag['name']}", tag
    for operation in OPERATIONS:
        name = operation["operationId"]
        yield name, operation
        for parameter in operation["parameters"]:
            yield f"{name}, parameter {parameter['name']}", parameter
        if "requestBody" in operation:
            yield f"{name}, body", operation["requestBody"]
        for status, answer in operation["responses"].items():
            yield f"{name}, answer {status}", answer
            for header, described in answer.get("headers", {}).items():
                yield f"{name}, answer {status}, header {header}", described
            for link, described in answer.get("links", {}).items():
                yield f"{name}, link {link}", described
    for name, schema in SCHEMAS.items():
        if not name.startswith("ListOf_"):
            yield name, schema
        for field, described in schema.get("properties", {}).items():
            yield f"{name}.{field}", described


def test_every_part_is_described() -> None:
    silent = [place for place, part in parts() if len(part.get("description", "")) < 4]
    assert silent == [], "say what it is, in read_api/openapi"


def test_every_body_has_an_example() -> None:
    bodies = {op["operationId"]: op["requestBody"] for op in OPERATIONS if "requestBody" in op}
    lacking = [
        name
        for name, body in bodies.items()
        if any("example" not in content for content in body["content"].values())
    ]
    assert lacking == [], "add one to read_api/openapi/examples.py"


def test_every_parameter_of_a_path_has_an_example() -> None:
    for operation in OPERATIONS:
        for parameter in operation["parameters"]:
            assert parameter["in"] != "path" or parameter["example"], operation["operationId"]


def test_times_and_ids_have_a_format() -> None:
    for name, schema in SCHEMAS.items():
        for field, described in schema.get("properties", {}).items():
            if field.endswith("At"):
                (text,) = [each for each in described.get("anyOf", [described]) if each["type"] != "null"]
                assert text["format"] == "date-time", (name, field)
            if (
                field == "id"
                and name.endswith("View")
                and name not in {"AccountView", "SuggestionView"} | NOT_IDS
            ):
                assert described["format"] == "uuid", name


def test_a_default_makes_no_property_required() -> None:
    """Generators of clients take a property with a default for a required one."""
    assert [
        (name, field)
        for name, schema in SCHEMAS.items()
        for field, described in schema.get("properties", {}).items()
        if "default" in described
    ] == []
    assert "The default is `private`." in SCHEMAS["ProjectInput"]["properties"]["visibility"]["description"]


def test_the_choice_of_fields_does_not_change_the_type_of_an_answer() -> None:
    (listed,) = [op for op in OPERATIONS if op["operationId"] == "get_project"]
    schema = listed["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/ProjectView"}
    assert {"id", "name", "version"} <= set(SCHEMAS["ProjectView"]["required"])
    (fields,) = [each for each in listed["parameters"] if each["name"] == "fields"]
    assert re.match(fields["schema"]["pattern"], "id,aiInsights")
    assert not re.match(fields["schema"]["pattern"], "id,aiInsight")


def test_every_operation_that_picks_fields_says_so() -> None:
    declared = {op.handler.__name__: op for op in operations() if not op.hidden}
    for operation in OPERATIONS:
        names = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
        assert names == declared[operation["operationId"]].parameters


def test_each_command_of_a_batch_has_its_own_schema() -> None:
    commands = SCHEMAS["Batch"]["properties"]["commands"]["items"]
    assert commands["discriminator"]["propertyName"] == "type"
    assert set(commands["discriminator"]["mapping"]) == set(CLIENT_COMMANDS)
    for name, reference in commands["discriminator"]["mapping"].items():
        schema = SCHEMAS[reference.rpartition("/")[2]]
        assert schema["properties"]["type"]["const"] == name
        assert schema["properties"]["data"]["$ref"].rpartition("/")[2] in SCHEMAS
        assert ("target" in schema["required"]) is CLIENT_COMMANDS[name].targeted
    assert {option["$ref"] for option in commands["oneOf"]} == set(
        commands["discriminator"]["mapping"].values()
    )


def test_links_lead_to_operations_and_their_parameters() -> None:
    by_id = {operation["operationId"]: operation for operation in OPERATIONS}
    linked = 0
    for operation in OPERATIONS:
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                target = by_id[link["operationId"]]
                names = {each["name"] for each in target["parameters"] if each["in"] == "path"}
                assert set(link.get("parameters", {})) == names, (operation["operationId"], link)
                linked += 1
    assert linked > 50


def test_references_lead_to_components() -> None:
    def references(node: Any) -> Iterator[str]:
        for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from references(value)
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            yield node["$ref"]

    for reference in references(DOCUMENT):
        assert reference.rpartition("/")[2] in SCHEMAS, reference


@pytest.mark.parametrize("path", ["/api/v1/events/stream", "/ws/events", "/graphql"])
def test_live_channels_are_named(path: str) -> None:
    assert path in [channel["path"] for channel in DOCUMENT["x-live-channels"]]
    assert path in DOCUMENT["info"]["description"]
    assert "/asyncapi.json" in DOCUMENT["info"]["description"]


def test_descriptions_name_properties_as_json_does() -> None:
    named = set(re.findall(r"\*([A-Za-z_]+)\*", json.dumps(DOCUMENT)))
    assert "publishHistory" in named
    assert [name for name in named if "_" in name] == []


def test_no_role_is_higher_than_the_owner() -> None:
    paths = DOCUMENT["paths"]
    assert "the role `owner`." in paths["/api/v1/projects/{project_id}"]["delete"]["description"]


def test_what_a_request_and_its_command_need_is_said() -> None:
    said = DOCUMENT["paths"]["/api/v1/accounts/{account_id}/sessions"]["delete"]["description"]
    assert said.endswith(
        "It needs a token of an account with the role `admin`. "
        "An API token needs the scopes `account` and `admin`."
    )

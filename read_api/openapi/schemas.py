"""The schemas of bodies and answers, made from their structs, with what each property means."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from commands.table.registry import CLIENT_COMMANDS
from commands.table.row import ClientCommandRow
from read_api.gateway.operation import Operation
from read_api.openapi.parameters import REF
from read_api.openapi.properties import facts_of, text_of
from read_api.problems import Problem

Schema = dict[str, Any]

_BATCH, _BATCH_COMMAND = "Batch", "BatchCommand"
_RULES: Mapping[str, Schema] = {
    "ChangeInput": {"if": {"properties": {"status": {"const": "D"}}}, "else": {"required": ["content"]}},
}
"""What no type says: only a deletion may leave the content out."""


def schemas_of(operations: Iterable[Operation]) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """Return the schema of each type of a body or an answer by the type's `repr`, and the components."""
    types: dict[str, Any] = {repr(Problem): Problem}
    for operation in operations:
        for type_ in (operation.input, operation.output):
            if type_ is not None:
                types[repr(type_)] = type_
    commands = [row.input for row in CLIENT_COMMANDS.values()]
    every = [*types.values(), *commands]
    schemas, components = msgspec.json.schema_components(every, ref_template=REF)
    described = {name: _described(name, schema) for name, schema in components.items()}
    if _BATCH in described:
        _with_commands(described)
    return dict(zip(types, schemas, strict=False)), described


def _described(struct: str, schema: Schema) -> Schema:
    """Return the schema of *struct* with what its properties mean.

    A default is said in words: generators of clients make a property with a default a required one.
    """
    if "description" in schema:
        schema = {**schema, "description": " ".join(schema["description"].split())}
    if "properties" not in schema:
        return schema
    properties = {name: _property(struct, name, each) for name, each in schema["properties"].items()}
    return {**schema, "properties": properties, **_RULES.get(struct, {})}


def _property(struct: str, name: str, schema: Schema) -> Schema:
    default = schema.get("default")
    rest = {key: value for key, value in schema.items() if key != "default"}
    text = text_of(struct, name)
    if isinstance(default, str | bool | int) and default != "":
        text += f" The default is `{str(default).lower() if isinstance(default, bool) else default}`."
    return {**_with_facts(rest, facts_of(struct, name)), "description": text}


def _with_facts(schema: Schema, facts: Any) -> Schema:
    """Return *schema* with *facts* about its text, which may be one of several options with null."""
    if not facts:
        return schema
    if "anyOf" in schema:
        return {**schema, "anyOf": [_with_facts(option, facts) for option in schema["anyOf"]]}
    return {**schema, **facts} if schema.get("type") == "string" else schema


def _with_commands(components: dict[str, Schema]) -> None:
    """Describe the commands of a batch: one schema for each type, told apart by `type`."""
    common = components.pop(_BATCH_COMMAND)["properties"]
    names = {name: _class_name(name) for name in CLIENT_COMMANDS}
    for name, row in CLIENT_COMMANDS.items():
        components[names[name]] = _command(row, common)
    commands = components[_BATCH]["properties"]["commands"]
    references = {name: REF.format(name=title) for name, title in names.items()}
    commands["items"] = {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "type", "mapping": references},
    }


def _command(row: ClientCommandRow, common: Schema) -> Schema:
    return {
        "title": _class_name(row.name),
        "description": f"The command `{row.name}` of a batch.",
        "type": "object",
        "properties": {
            "type": {"type": "string", "const": row.name, "description": "The type of the command."},
            "data": {
                "$ref": REF.format(name=row.input.__name__),
                "description": common["data"]["description"],
            },
            "id": {
                **common["id"],
                "description": "A key of yours: the same command with the same key is carried out once.",
            },
            "target": common["target"],
            "expectedVersion": common["expectedVersion"],
        },
        "required": ["type", "data", *(["target"] if row.targeted else [])],
        "additionalProperties": False,
    }


def _class_name(command: str) -> str:
    """Return the name of a command's schema: `ProjectCreate` for `project.create`."""
    return "".join(word.capitalize() for word in command.replace("_", ".").split("."))

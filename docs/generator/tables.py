"""Tables of fields, made from the structs that define them."""

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from read_api.gateway.patterns import correction_of
from streams.public import fields as public_fields

_REF = "#/$defs/{name}"

Schema = dict[str, Any]
"""A JSON Schema."""


class Field(NamedTuple):
    """A field of a struct under its JSON name."""

    name: str
    schema: Schema
    required: bool


def fields_of(struct: type) -> tuple[dict[str, Schema], list[Field]]:
    """Return the schemas of *struct* and of everything that it refers to, and its fields."""
    _, schemas = msgspec.json.schema_components([struct], ref_template=_REF)
    own = schemas[struct.__name__]
    required = own.get("required", [])
    return schemas, [Field(name, schema, name in required) for name, schema in own["properties"].items()]


def field_table(
    fields: Iterable[Field], schemas: dict[str, Schema], personal: Iterable[str] | None = None
) -> str:
    """List fields with their types; say which are required, or, given *personal*, which are personal."""
    rows = list(fields)
    if not rows:
        return "No fields."
    last = "required" if personal is None else "personal"
    lines = [f"| field | type | {last} |", "|---|---|---|"]
    for field in rows:
        marked = field.required if personal is None else field.name in personal
        lines.append(f"| `{field.name}` | {_type(field.schema, schemas)} | {'yes' if marked else ''} |")
    return "\n".join(lines)


def public_field_table(fields: Iterable[Field], schemas: dict[str, Schema]) -> str:
    """List the fields of a public event, with types that say what a text stands for."""
    lines = ["| field | type | required |", "|---|---|---|"]
    lines += [
        f"| `{field.name}` | {_public_type(field.schema, schemas)} | {'yes' if field.required else ''} |"
        for field in fields
    ]
    return "\n".join(lines)


def _type(schema: Schema, schemas: dict[str, Schema]) -> str:
    if "$ref" in schema:
        return _referred_type(schemas[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return " or ".join(_type(option, schemas) for option in schema["anyOf"])
    if schema.get("type") == "array":
        most = f", at most {schema['maxItems']:,}" if "maxItems" in schema else ""
        return f"list{most} of {_type(schema['items'], schemas)}"
    return str(schema["type"]) + _limits(schema)


def _referred_type(schema: Schema) -> str:
    if "enum" in schema:
        return " \\| ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    return "object: " + ", ".join(f"`{name}`" for name in schema["properties"])


def _limits(schema: Schema) -> str:
    return "".join(f" ({limits})" for limits in [", ".join(_limits_of(schema))] if limits)


def _limits_of(schema: Schema) -> Iterator[str]:
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    if high is not None:
        yield f"{low:,} to {high:,} characters"
    if "minimum" in schema:
        yield f"{schema['minimum']:,} to {schema['maximum']:,}"
    if high is None and "pattern" in schema:
        words = correction_of(schema["pattern"])
        yield words.removeprefix("write ") if words else "`" + schema["pattern"].replace("|", "\\|") + "`"


def _public_type(schema: Schema, schemas: dict[str, Schema]) -> str:
    """Name a type by what it stands for: a pattern means little to a reader."""
    if "anyOf" in schema:
        return " or ".join(_public_type(option, schemas) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_public_type(schema['items'], schemas)}"
    named = {
        _pattern(public_fields.Name): "pseudonym",
        _pattern(public_fields.Person): "pseudonym of a person or `service`",
    }
    if schema.get("pattern") in named:
        return named[schema["pattern"]]
    if schema.get("type") == "integer":
        return "integer"
    return "date" if schema.get("format") == "date" else _type(schema, schemas)


def _pattern(field: Any) -> str | None:
    return next((meta.pattern for meta in field.__metadata__ if meta.pattern), None)


def description(struct: type) -> str:
    """Return the docstring of *struct* in Markdown, on one line."""
    return re.sub(r"\*(\w+)\*", r"`\1`", " ".join((inspect.getdoc(struct) or "").split()))


def camel(name: str) -> str:
    """Return the JSON name of a field."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)

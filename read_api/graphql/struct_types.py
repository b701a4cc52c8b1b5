"""GraphQL types made from the structs of the REST contract, so that none of it is written twice."""

import inspect
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import Any

import graphene
import msgspec
import msgspec.inspect
from msgspec import UNSET, Struct
from msgspec.inspect import Field, Metadata, StructType, UnionType

from read_api.graphql.scalars import JSON, DateTime

Names = Mapping[type[Any], Callable[[], Any]]
"""The GraphQL type of a struct, asked for late: types may name each other."""

_SCALARS: dict[type[msgspec.inspect.Type], Any] = {
    msgspec.inspect.StrType: graphene.String,
    msgspec.inspect.IntType: graphene.Int,
    msgspec.inspect.FloatType: graphene.Float,
    msgspec.inspect.BoolType: graphene.Boolean,
    msgspec.inspect.DictType: JSON,
    msgspec.inspect.AnyType: JSON,
    msgspec.inspect.RawType: JSON,
}
_LISTS = (msgspec.inspect.ListType, msgspec.inspect.VarTupleType)
_ABSENT = msgspec.inspect.NoneType  # UNSET is not told: its field is not required
_enums: dict[type[Enum], Any] = {}


def enum_of(kind: type[Enum]) -> Any:
    """Return the GraphQL enum of *kind*: its names are the members', its values those of the JSON contract."""
    if kind not in _enums:
        members = [(member.name, member.value) for member in kind]
        _enums[kind] = graphene.Enum(
            kind.__name__, members, description=lambda value: summary(kind) if value is None else None
        )
    return _enums[kind]


def summary(kind: object) -> str | None:
    """Return the docstring of *kind* in one paragraph."""
    text = inspect.getdoc(kind)
    return None if text is None else " ".join(text.split())


def output_fields(view: type[Struct], names: Names) -> dict[str, Any]:
    """Return a GraphQL field for each field of *view*, under its JSON name."""
    return {
        field.encode_name: graphene.Field(
            _type(field, names, output=True),
            required=not _may_be_absent(field),
        )
        for field in _fields(view)
    }


_inputs: dict[type[Struct], Any] = {}


def input_of(kind: type[Struct]) -> Any:
    """Return the GraphQL input type of *kind*."""
    if kind not in _inputs:
        fields = {
            field.encode_name: graphene.InputField(
                _type(field, {}, output=False), required=not _may_be_absent(field)
            )
            for field in _fields(kind)
        }
        meta = type("Meta", (), {"name": kind.__name__, "description": summary(kind)})
        _inputs[kind] = type(kind.__name__, (graphene.InputObjectType,), {"Meta": meta, **fields})
    return _inputs[kind]


def arguments_of(
    kind: type[Struct], *, without: Collection[str] = (), renamed: Mapping[str, str] | None = None
) -> dict[str, graphene.Argument]:
    """Return a GraphQL argument for each field of a query struct; *renamed* tells the names that differ."""
    found = {}
    for field in _fields(kind):
        if field.encode_name in without:
            continue
        name = (renamed or {}).get(field.encode_name, field.encode_name)
        default = (
            {} if field.default in (None, UNSET, msgspec.NODEFAULT) else {"default_value": field.default}
        )
        found[name] = graphene.Argument(
            _type(field, {}, output=False), required=field.required and not default, **default
        )
    return found


def has_required_fields(kind: type[Struct]) -> bool:
    """Tell whether an input of *kind* cannot be left out."""
    return any(field.required for field in _fields(kind))


def has_fields(kind: type[Struct]) -> bool:
    """Tell whether *kind* says anything at all."""
    return bool(_fields(kind))


def _fields(kind: type[Struct]) -> tuple[Field, ...]:
    found = msgspec.inspect.type_info(kind)
    assert isinstance(found, StructType)  # noqa: S101 # type_info of a struct is one
    return found.fields


def _may_be_absent(field: Field) -> bool:
    found = _plain(field.type)
    may_be_null = isinstance(found, UnionType) and any(isinstance(part, _ABSENT) for part in found.types)
    return may_be_null or not field.required


def _type(field: Field, names: Names, *, output: bool) -> Any:
    name = field.encode_name
    if name == "id" or name.endswith("Id"):
        return graphene.ID
    if output and (name == "at" or name.endswith("At")):
        return DateTime
    return _graphql(field.type, names, output=output)


def _graphql(found: msgspec.inspect.Type, names: Names, *, output: bool) -> Any:
    found = _plain(found)
    if isinstance(found, UnionType):
        (found,) = [_plain(part) for part in found.types if not isinstance(part, _ABSENT)]
    if isinstance(found, _LISTS):
        item = _graphql(found.item_type, names, output=output)
        return graphene.List(graphene.NonNull(item))
    if isinstance(found, msgspec.inspect.EnumType):
        return enum_of(found.cls)
    if isinstance(found, StructType):
        return names[found.cls] if output else input_of(found.cls)
    return _SCALARS[type(found)]


def _plain(found: msgspec.inspect.Type) -> msgspec.inspect.Type:
    return found.type if isinstance(found, Metadata) else found

"""GraphQL types made from the structs of the contract, so that nothing is declared twice."""

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

TypeOf = Mapping[type[Any], Callable[[], Any]]
"""From a struct to a function that returns its GraphQL type: types may refer to ones that are made later."""

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
_NULL = msgspec.inspect.NoneType  # UNSET is not shown in the type: its field is not required
_enums: dict[type[Enum], Any] = {}


def enum_of(enum: type[Enum]) -> Any:
    """Return the GraphQL enum of *enum*: the members' names, with the values of the JSON contract."""
    if enum not in _enums:
        members = [(member.name, member.value) for member in enum]
        _enums[enum] = graphene.Enum(
            enum.__name__, members, description=lambda value: summary(enum) if value is None else None
        )
    return _enums[enum]


def summary(declared: object) -> str | None:
    """Return the docstring of a class or function in one paragraph."""
    text = inspect.getdoc(declared)
    return None if text is None else " ".join(text.split())


def output_fields(view: type[Struct], type_of: TypeOf) -> dict[str, Any]:
    """Return a GraphQL field for each field of *view*, under its JSON name."""
    return {
        field.encode_name: graphene.Field(
            _type(field, type_of, output=True),
            required=not _may_be_absent(field),
        )
        for field in _fields(view)
    }


_inputs: dict[type[Struct], Any] = {}


def input_of(struct: type[Struct]) -> Any:
    """Return the GraphQL input type of *struct*."""
    if struct not in _inputs:
        fields = {
            field.encode_name: graphene.InputField(
                _type(field, {}, output=False), required=not _may_be_absent(field)
            )
            for field in _fields(struct)
        }
        meta = type("Meta", (), {"name": struct.__name__, "description": summary(struct)})
        _inputs[struct] = type(struct.__name__, (graphene.InputObjectType,), {"Meta": meta, **fields})
    return _inputs[struct]


def arguments_of(
    struct: type[Struct], *, without: Collection[str] = (), renamed: Mapping[str, str] | None = None
) -> dict[str, graphene.Argument]:
    """Return a GraphQL argument for each field of a query struct; *renamed* maps the names that differ."""
    arguments = {}
    for field in _fields(struct):
        if field.encode_name in without:
            continue
        name = (renamed or {}).get(field.encode_name, field.encode_name)
        default = (
            {} if field.default in (None, UNSET, msgspec.NODEFAULT) else {"default_value": field.default}
        )
        arguments[name] = graphene.Argument(
            _type(field, {}, output=False), required=field.required and not default, **default
        )
    return arguments


def has_required_fields(struct: type[Struct]) -> bool:
    """Return whether an input of *struct* must be given."""
    return any(field.required for field in _fields(struct))


def has_fields(struct: type[Struct]) -> bool:
    """Return whether *struct* has any fields."""
    return bool(_fields(struct))


def _fields(struct: type[Struct]) -> tuple[Field, ...]:
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, StructType)  # noqa: S101 # type_info of a struct is one
    return info.fields


def _may_be_absent(field: Field) -> bool:
    info = _bare(field.type)
    may_be_null = isinstance(info, UnionType) and any(isinstance(option, _NULL) for option in info.types)
    return may_be_null or not field.required


def _type(field: Field, type_of: TypeOf, *, output: bool) -> Any:
    name = field.encode_name
    if name == "id" or name.endswith("Id"):
        return graphene.ID
    if output and (name == "at" or name.endswith("At")):
        return DateTime
    return _graphql(field.type, type_of, output=output)


def _graphql(info: msgspec.inspect.Type, type_of: TypeOf, *, output: bool) -> Any:
    info = _bare(info)
    if isinstance(info, UnionType):
        (info,) = [_bare(option) for option in info.types if not isinstance(option, _NULL)]
    if isinstance(info, _LISTS):
        item = _graphql(info.item_type, type_of, output=output)
        return graphene.List(graphene.NonNull(item))
    if isinstance(info, msgspec.inspect.EnumType):
        return enum_of(info.cls)
    if isinstance(info, StructType):
        return type_of[info.cls] if output else input_of(info.cls)
    return _SCALARS[type(info)]


def _bare(info: msgspec.inspect.Type) -> msgspec.inspect.Type:
    return info.type if isinstance(info, Metadata) else info

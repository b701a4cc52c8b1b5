"""Take answers straight out of documents where no field below has anything to find out.

graphql-core completes each value of each field by itself, which costs more than everything else. Where a selection names
only fields that stand in the document, it is made into a function once, and that is what runs. What the function does not
expect, an absent field or a value of another type, goes the long way, which knows every rule.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from graphene.types.resolver import dict_or_attr_resolver
from graphql import (
    ExecutionContext,
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    is_leaf_type,
)
from graphql.pyutils import Path

Shape = Callable[[Any], Any]
Shapes = dict[tuple[int, int], Shape | None]
"""By the ids of a field's node and of its type: both live as long as the document that the shapes are kept with."""

STANDS = "stands_in_document"
_TYPENAME = "__typename"
_INTS = range(-(2**31), 2**31)


class UnexpectedError(Exception):
    """A value that the shape was not made for."""


class PlainExecution(ExecutionContext):
    """An execution that takes the short way where there is one."""

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        """Complete a value by its shape, else field by field."""
        shapes: Shapes | None = self.context_value.shapes
        if shapes is not None and isinstance(result, (dict, list)):
            key = (id(field_nodes[0]), id(return_type))
            shape = (
                shapes[key]
                if key in shapes
                else shapes.setdefault(key, self._shape(return_type, field_nodes))
            )
            if shape is not None:
                try:
                    return shape(result)
                except UnexpectedError:
                    pass
        return super().complete_value(return_type, field_nodes, info, path, result)

    def _shape(self, type_: GraphQLOutputType, nodes: list[FieldNode]) -> Shape | None:
        if isinstance(type_, GraphQLNonNull):
            return self._shape(type_.of_type, nodes)
        if isinstance(type_, GraphQLList):
            item = self._shape_or_leaf(type_.of_type, nodes)
            return None if item is None else _list_of(item)
        if isinstance(type_, GraphQLObjectType):
            return self._object(type_, nodes)
        return None

    def _shape_or_leaf(self, type_: GraphQLOutputType, nodes: list[FieldNode]) -> Shape | None:
        required = isinstance(type_, GraphQLNonNull)
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        inner = _leaf(bare) if is_leaf_type(bare) else self._shape(bare, nodes)
        if inner is None or required:
            return inner
        return lambda value: None if value is None else inner(value)

    def _object(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> Shape | None:
        parts: list[Part] = []
        for name, found in self.collect_subfields(type_, nodes).items():
            if found[0].name.value == _TYPENAME:
                parts.append((name, None, partial(_constant, type_.name)))
                continue
            definition: GraphQLField = type_.fields[found[0].name.value]  # the document is valid
            source = _stands(definition)
            inner = None if source is None else self._shape_or_leaf(definition.type, found)
            if inner is None:
                return None
            parts.append((name, source, inner))
        return partial(_taken if all(source for _, source, _ in parts) else _taken_with_type, parts)


Part = tuple[str, str | None, Shape]
"""The name in the answer, where the value stands in the document (None: in the type), how it is completed."""


def _constant(found: str, _: Any) -> str:
    return found


def _taken(parts: list[Part], value: Any) -> dict[str, Any]:
    try:
        return {name: inner(value[source]) for name, source, inner in parts}
    except (KeyError, TypeError) as error:
        raise UnexpectedError from error


def _taken_with_type(parts: list[Part], value: Any) -> dict[str, Any]:
    try:
        return {name: inner(None if source is None else value[source]) for name, source, inner in parts}
    except (KeyError, TypeError) as error:
        raise UnexpectedError from error


def _list_of(item: Shape) -> Shape:
    def take(value: Any) -> list[Any]:
        if type(value) is not list:
            raise UnexpectedError
        return [item(part) for part in value]

    return take


def _stands(definition: GraphQLField) -> str | None:
    """Return where in a document the field stands, None where it has a resolver of its own."""
    if definition.args:
        return None
    resolver = definition.resolve
    if isinstance(resolver, partial) and resolver.func is dict_or_attr_resolver:
        return str(resolver.args[0])
    return getattr(resolver, STANDS, None)


def _leaf(type_: Any) -> Shape:
    if isinstance(type_, GraphQLEnumType):
        return _enum(type_)
    return _LEAVES.get(type_.name) or type_.serialize


def _enum(type_: GraphQLEnumType) -> Shape:
    names = {value.value.value: name for name, value in type_.values.items()}

    def take(value: Any) -> str:
        found = names.get(value)
        if found is None:
            raise UnexpectedError
        return found

    return take


def _text(value: Any) -> str:
    if type(value) is not str:
        raise UnexpectedError
    return value


def _int(value: Any) -> int:
    if type(value) is not int or value not in _INTS:
        raise UnexpectedError
    return value


def _float(value: Any) -> float:
    if type(value) not in (float, int) or not math.isfinite(value):
        raise UnexpectedError
    return float(value)


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise UnexpectedError
    return value


_LEAVES: dict[str, Shape] = {"String": _text, "ID": _text, "Int": _int, "Float": _float, "Boolean": _bool}

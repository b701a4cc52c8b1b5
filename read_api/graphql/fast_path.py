"""Take answers straight out of documents where no field of a selection has to be looked up.

graphql-core completes each value of each field separately, which costs more than everything else. Where a
selection names only fields that are in the document, it is compiled into a function once, its extractor. A
value that the extractor does not expect, an absent field or another type, is left to graphql-core, which
knows every rule.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
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

from projections.budget import current_budget, size_of

Extractor = Callable[[Any], Any]
Extractors = dict[tuple[int, int], Extractor | None]
"""By the ids of a field's node and of its type, which live as long as the document."""

DOCUMENT_KEY = "document_key"
"""The attribute with the key of the document that a resolver reads, where it reads nothing else."""
_TYPENAME = "__typename"
_INTS = range(-(2**31), 2**31)
_LONG = 1_000
"""Of how many characters on a text is counted; shorter ones are bounded by the cost of the document."""


class UnexpectedValueError(Exception):
    """A value that an extractor was not made for."""


class FastPathExecution(ExecutionContext):
    """An execution that uses an extractor where there is one."""

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        """Complete a value by its extractor, else field by field."""
        extractors: Extractors | None = self.context_value.extractors
        if extractors is not None and isinstance(result, (dict, list)):
            key = (id(field_nodes[0]), id(return_type))
            extract = (
                extractors[key]
                if key in extractors
                else extractors.setdefault(key, self._extractor(return_type, field_nodes))
            )
            if extract is not None:
                try:
                    return extract(result)
                except UnexpectedValueError:
                    pass
        return super().complete_value(return_type, field_nodes, info, path, result)

    @staticmethod
    def complete_leaf_value(return_type: Any, result: Any) -> Any:
        """Complete a leaf, and note how much of the answer it takes; raises OverBudgetError."""
        return _shown(ExecutionContext.complete_leaf_value(return_type, result))

    def _extractor(self, type_: GraphQLOutputType, nodes: list[FieldNode]) -> Extractor | None:
        if isinstance(type_, GraphQLNonNull):
            return self._extractor(type_.of_type, nodes)
        if isinstance(type_, GraphQLList):
            item = self._extractor_or_leaf(type_.of_type, nodes)
            return None if item is None else _list_of(item)
        if isinstance(type_, GraphQLObjectType):
            return self._object(type_, nodes)
        return None

    def _extractor_or_leaf(self, type_: GraphQLOutputType, nodes: list[FieldNode]) -> Extractor | None:
        required = isinstance(type_, GraphQLNonNull)
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        inner = _leaf(bare) if is_leaf_type(bare) else self._extractor(bare, nodes)
        if inner is None or required:
            return inner
        return lambda value: None if value is None else inner(value)

    def _object(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> Extractor | None:
        fields: list[Field] = []
        for name, field_nodes in self.collect_subfields(type_, nodes).items():
            if field_nodes[0].name.value == _TYPENAME:
                fields.append((name, None, partial(_constant, type_.name)))
                continue
            definition: GraphQLField = type_.fields[field_nodes[0].name.value]  # the document is valid
            key = _document_key(definition)
            inner = None if key is None else self._extractor_or_leaf(definition.type, field_nodes)
            if inner is None:
                return None
            fields.append((name, key, inner))
        return partial(_extract if all(key for _, key, _ in fields) else _extract_with_type, fields)


Field = tuple[str, str | None, Extractor]
"""The name in the answer, the key in the document (None: the type's name), and the value's extractor."""


def _constant(value: str, _: Any) -> str:
    return value


def _extract(fields: list[Field], value: Any) -> dict[str, Any]:
    try:
        return {name: inner(value[key]) for name, key, inner in fields}
    except (KeyError, TypeError) as error:
        raise UnexpectedValueError from error


def _extract_with_type(fields: list[Field], value: Any) -> dict[str, Any]:
    try:
        return {name: inner(None if key is None else value[key]) for name, key, inner in fields}
    except (KeyError, TypeError) as error:
        raise UnexpectedValueError from error


def _list_of(item: Extractor) -> Extractor:
    def extract(value: Any) -> list[Any]:
        if type(value) is not list:
            raise UnexpectedValueError
        return [item(each) for each in value]

    return extract


def _document_key(definition: GraphQLField) -> str | None:
    """Return the key under which a document has the field, None where the field has a resolver of its own."""
    if definition.args:
        return None
    resolver = definition.resolve
    if isinstance(resolver, partial) and resolver.func is dict_or_attr_resolver:
        return str(resolver.args[0])
    return getattr(resolver, DOCUMENT_KEY, None)


def _leaf(type_: Any) -> Extractor:
    if isinstance(type_, GraphQLEnumType):
        return _enum(type_)
    return _LEAVES.get(type_.name) or (lambda value: _shown(type_.serialize(value)))


def _shown(value: Any) -> Any:
    """Return *value*, which the answer shows; raises OverBudgetError where that is too much."""
    if isinstance(value, str):
        if len(value) > _LONG:
            _show(value)
    elif isinstance(value, (dict, list)):
        _show(value)
    return value


def _show(value: Any) -> None:
    budget = current_budget()
    if budget is not None:
        budget.show(size_of(value) if isinstance(value, str) else len(msgspec.json.encode(value)))


def _enum(type_: GraphQLEnumType) -> Extractor:
    names = {value.value.value: name for name, value in type_.values.items()}

    def extract(value: Any) -> str:
        name = names.get(value)
        if name is None:
            raise UnexpectedValueError
        return name

    return extract


def _text(value: Any) -> str:
    if type(value) is not str:
        raise UnexpectedValueError
    if len(value) > _LONG:
        _show(value)
    return value


def _int(value: Any) -> int:
    if type(value) is not int or value not in _INTS:
        raise UnexpectedValueError
    return value


def _float(value: Any) -> float:
    if type(value) not in (float, int) or not math.isfinite(value):
        raise UnexpectedValueError
    return float(value)


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise UnexpectedValueError
    return value


_LEAVES: dict[str, Extractor] = {"String": _text, "ID": _text, "Int": _int, "Float": _float, "Boolean": _bool}

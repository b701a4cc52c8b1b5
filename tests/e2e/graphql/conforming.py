"""Check an answer against the schema and the operation that it answers."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    is_abstract_type,
    is_leaf_type,
    parse,
)

_JSON = {"Int": int, "Float": (int, float), "String": str, "ID": str, "Boolean": bool, "DateTime": str}


def violations(schema: GraphQLSchema, query: str, data: Mapping[str, Any] | None) -> list[str]:
    """List where *data* is not a valid answer to *query*."""
    document = parse(query)
    (operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    root = schema.get_root_type(operation.operation)
    return [] if data is None else list(_object(schema, fragments, root, [operation], data, "data"))


def _object(schema: Any, fragments: Any, type_: Any, nodes: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is no object"
        return
    if is_abstract_type(type_):
        return  # the operation need not ask for its type
    selected: dict[str, list[FieldNode]] = {}
    for node in nodes:
        _collect(fragments, type_, node, selected)
    if selected.keys() != value.keys():
        yield f"{path} has {sorted(value)}, asked for {sorted(selected)}"
        return
    for name, fields in selected.items():
        if fields[0].name.value == "__typename":
            if value[name] != type_.name:
                yield f"{path}.{name} is {value[name]}"
            continue
        field = type_.fields.get(fields[0].name.value)
        if field is not None:  # introspection is the library's
            yield from _value(schema, fragments, field.type, fields, value[name], f"{path}.{name}")


def _collect(fragments: Any, type_: Any, node: Any, selected: dict[str, list[FieldNode]]) -> None:
    for selection in node.selection_set.selections:
        if isinstance(selection, FieldNode):
            selected.setdefault((selection.alias or selection.name).value, []).append(selection)
        elif isinstance(selection, InlineFragmentNode):
            if selection.type_condition is None or _fits(selection.type_condition.name.value, type_):
                _collect(fragments, type_, selection, selected)
        elif isinstance(selection, FragmentSpreadNode):
            fragment = fragments[selection.name.value]
            if _fits(fragment.type_condition.name.value, type_):
                _collect(fragments, type_, fragment, selected)


def _fits(name: str, type_: Any) -> bool:
    return name == type_.name or name in {interface.name for interface in type_.interfaces}


def _value(schema: Any, fragments: Any, type_: Any, nodes: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(type_, GraphQLNonNull):
        if value is None:
            yield f"{path} is null"
            return
        type_ = type_.of_type
    if value is None:
        return
    if isinstance(type_, GraphQLList):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for index, element in enumerate(value):
            yield from _value(schema, fragments, type_.of_type, nodes, element, f"{path}[{index}]")
    elif isinstance(type_, GraphQLEnumType):
        if value not in type_.values:
            yield f"{path} is {value!r}"
    elif is_leaf_type(type_):
        kinds = _JSON.get(type_.name)
        if kinds is not None and not isinstance(value, kinds):
            yield f"{path} is {value!r}"
    else:
        yield from _object(schema, fragments, type_, nodes, value, path)

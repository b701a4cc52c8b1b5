"""What a document may ask for: how deep, how much, under how many names. Counted before anything is validated."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    value_from_ast_untyped,
    visit,
)
from msgspec import Struct

CODE = "query_too_complex"
MOST_TOKENS = 4_000
DEEPEST = 12
DEAREST = 10_000
MOST_ALIASES = 30
MOST_FIELDS = 500
_COMMAND_COST = 100
_UNBOUNDED = 5
_LARGEST_PAGE = 100
_SIZES = ("limit", "first")
_PAGE_PARTS = ("edges", "nodes")
_NOTHING: Mapping[str, Any] = {}


class Weight(Struct):
    """What a selection costs, how deep it goes, how many fields and aliases it has with every fragment spread out."""

    cost: int = 0
    depth: int = 0
    fields: int = 0
    aliases: int = 0

    def add(self, other: "Weight", times: int = 1, *, below: int = 0) -> None:
        """Take in a part that may come *times*, *below* so many fields."""
        self.cost += other.cost * times
        self.depth = max(self.depth, other.depth + below)
        self.fields += other.fields
        self.aliases += other.aliases


class Scales:
    """Weigh one document; what a fragment weighs is found once, so that spreading it again and again costs nothing."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        """Weigh for *schema* with these *variables*."""
        self._schema = schema
        self._variables = variables
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[str, Weight] = {}
        self._open: set[str] = set()

    def weigh(self, operation: OperationDefinitionNode) -> Weight:
        """Return what *operation* weighs."""
        command = operation.operation is OperationType.MUTATION
        return self._selections(
            self._schema.get_root_type(operation.operation), operation.selection_set, command=command
        )

    def _selections(self, parent: Any, node: SelectionSetNode | None, *, command: bool = False) -> Weight:
        found = Weight()
        for selection in () if node is None else node.selections:
            if isinstance(selection, FieldNode):
                found.add(self._field(parent, selection, command=command))
            elif isinstance(selection, InlineFragmentNode):
                condition: NamedTypeNode | None = selection.type_condition
                of = parent if condition is None else self._schema.get_type(condition.name.value)
                found.add(self._selections(of, selection.selection_set, command=command))
            elif isinstance(selection, FragmentSpreadNode):
                found.add(self._fragment(selection.name.value, command=command))
        return found

    def _fragment(self, name: str, *, command: bool) -> Weight:
        fragment = self._fragments.get(name)
        if fragment is None or name in self._open:  # validation tells of both
            return Weight()
        if name not in self._known:
            self._open.add(name)
            of = self._schema.get_type(fragment.type_condition.name.value)
            self._known[name] = self._selections(of, fragment.selection_set, command=command)
            self._open.discard(name)
        return self._known[name]

    def _field(self, parent: Any, node: FieldNode, *, command: bool) -> Weight:
        name = node.name.value
        definition: GraphQLField | None = getattr(parent, "fields", {}).get(name)
        found = Weight(cost=_COMMAND_COST if command else 1, fields=1, aliases=node.alias is not None)
        if node.selection_set is None:
            return found
        type_ = None if definition is None else definition.type
        below = self._selections(None if type_ is None else get_named_type(type_), node.selection_set)
        introspection = name in ("__schema", "__type")  # its depth and its lists are a rule of their own
        once = introspection or name in _PAGE_PARTS  # the page has counted its parts
        found.add(below, 1 if once or definition is None else self._times(node, definition), below=1)
        if introspection:
            found.depth = 1
        return found

    def _times(self, node: FieldNode, definition: GraphQLField) -> int:
        """Return how often what is below a field may come: its page, or a few where a list has no bound."""
        size = next((name for name in _SIZES if name in definition.args), None)
        if size is not None:
            return self._size(node, size, definition.args[size].default_value)
        return _UNBOUNDED if _is_list(definition.type) else 1

    def _size(self, node: FieldNode, name: str, default: Any) -> int:
        value: Any = default
        for argument in node.arguments:
            if argument.name.value == name:
                if isinstance(argument.value, VariableNode):
                    value = self._variables.get(argument.value.name.value)
                elif isinstance(argument.value, IntValueNode):
                    value = value_from_ast_untyped(argument.value)
        if not isinstance(value, int):
            return _LARGEST_PAGE  # it will not be accepted
        return max(1, min(value, _LARGEST_PAGE))


def _is_list(type_: Any) -> bool:
    bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    return isinstance(bare, GraphQLList)


def sized_by_variables(document: DocumentNode) -> bool:
    """Tell whether the size of a page is in a variable, so that only a request tells what the document costs."""
    finder = _SizeFinder()
    visit(document, finder)
    return finder.found


class _SizeFinder(Visitor):
    found = False

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        if node.name.value in _SIZES and isinstance(node.value, VariableNode):
            self.found = True


def check_limits(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any] = _NOTHING
) -> list[GraphQLError]:
    """Return the errors of a document that asks for too much with these *variables*."""
    return list(_complaints(Scales(schema, document, variables), document))


def _complaints(scales: Scales, document: DocumentNode) -> Iterator[GraphQLError]:
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            weight = scales.weigh(definition)
            for about, found, most in (
                ("fields below each other", weight.depth + 1, DEEPEST),
                ("cost", weight.cost, DEAREST),
                ("aliases", weight.aliases, MOST_ALIASES),
                ("fields", weight.fields, MOST_FIELDS),
            ):
                if found > most:
                    detail = f"the query is too complex: {about} {found}, at most {most}"
                    yield GraphQLError(detail, definition, extensions={"code": CODE})

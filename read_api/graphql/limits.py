"""How much a document may ask for: depth, cost, fields and aliases, counted before anything is validated."""

from collections.abc import Iterator, Mapping, Sequence
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
    ListValueNode,
    NamedTypeNode,
    NullValueNode,
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
MAX_TOKENS = 4_000
MAX_DEPTH = 12
MAX_COST = 10_000
MAX_ALIASES = 30
MAX_FIELDS = 500
MAX_OVERLAPS = 6_000
MAX_VALUES = 20_000
MAX_ENTITIES = 1_000
MAX_DIGITS = 400
"""Of a number; the largest one that JSON's readers take for finite has 309."""

MAX_NAME = 200
"""How long the names of an input's fields, and the values of an enum, may be."""

PAST_COST = 1_000
"""What a field with `asOf` costs: the past has to be made before it can be shown."""

INTROSPECTION_COST = 4_000
_COMMAND_COST = 100
_UNBOUNDED = 5
_LARGEST_PAGE = 100
_SIZES = ("limit", "first")
_ENTITIES = "representations"
_PAST = "asOf"
_INTROSPECTION = ("__schema", "__type", "_service")
_PAGE_PARTS = ("edges", "nodes")
_NO_VARIABLES: Mapping[str, Any] = {}


class Weight(Struct):
    """The cost and depth of a selection, and its numbers of fields and aliases with fragments inserted."""

    cost: int = 0
    depth: int = 0
    fields: int = 0
    aliases: int = 0

    def add(self, other: "Weight", times: int = 1, *, below: int = 0) -> None:
        """Add the cost of a nested selection that is repeated *times* and lies *below* levels deeper."""
        self.cost += other.cost * times
        self.depth = max(self.depth, other.depth + below)
        self.fields += other.fields
        self.aliases += other.aliases


class Scales:
    """Weigh one document, each fragment once, so that no document makes the counting expensive."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        """Weigh for *schema* with these *variables*."""
        self._schema = schema
        self._variables = variables
        self._fragments = _fragments(document)
        self._defaults = {
            variable.variable.name.value: variable.default_value
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
            for variable in definition.variable_definitions
            if variable.default_value is not None
        }
        self._weighed: dict[str, Weight] = {}
        self._open: set[str] = set()

    def weigh(self, operation: OperationDefinitionNode) -> Weight:
        """Return the weight of *operation*."""
        command = operation.operation is OperationType.MUTATION
        return self._selections(
            self._schema.get_root_type(operation.operation), operation.selection_set, command=command
        )

    def _selections(self, parent: Any, node: SelectionSetNode | None, *, command: bool = False) -> Weight:
        weight = Weight()
        for selection in () if node is None else node.selections:
            if isinstance(selection, FieldNode):
                weight.add(self._field(parent, selection, command=command))
            elif isinstance(selection, InlineFragmentNode):
                condition: NamedTypeNode | None = selection.type_condition
                type_ = parent if condition is None else self._schema.get_type(condition.name.value)
                weight.add(self._selections(type_, selection.selection_set, command=command))
            elif isinstance(selection, FragmentSpreadNode):
                weight.add(self._fragment(selection.name.value, command=command))
        return weight

    def _fragment(self, name: str, *, command: bool) -> Weight:
        fragment = self._fragments.get(name)
        if fragment is None or name in self._open:  # validation reports both
            return Weight()
        if name not in self._weighed:
            self._open.add(name)
            type_ = self._schema.get_type(fragment.type_condition.name.value)
            self._weighed[name] = self._selections(type_, fragment.selection_set, command=command)
            self._open.discard(name)
        return self._weighed[name]

    def _field(self, parent: Any, node: FieldNode, *, command: bool) -> Weight:
        name = node.name.value
        definition: GraphQLField | None = getattr(parent, "fields", {}).get(name)
        weight = Weight(cost=_COMMAND_COST if command else 1, fields=1, aliases=node.alias is not None)
        if name in _INTROSPECTION:
            weight.cost += INTROSPECTION_COST
        if self._is_past(node):
            weight.cost += PAST_COST
        if node.selection_set is None:
            return weight
        type_ = None if definition is None else definition.type
        nested = self._selections(None if type_ is None else get_named_type(type_), node.selection_set)
        introspection = name in ("__schema", "__type")  # its depth and its lists have a rule of their own
        once = introspection or name in _PAGE_PARTS  # the connection has counted them
        weight.add(nested, 1 if once or definition is None else self._times(node, definition), below=1)
        if introspection:
            weight.depth = 1
        return weight

    def _times(self, node: FieldNode, definition: GraphQLField) -> int:
        """Return how often a field's selection may be repeated: its page size, a few in an unbounded list."""
        if _ENTITIES in definition.args:
            return self._entities(node)
        size = next((name for name in _SIZES if name in definition.args), None)
        if size is not None:
            return self._size(node, size, definition.args[size].default_value)
        return _UNBOUNDED if _is_list(definition.type) else 1

    def _is_past(self, node: FieldNode) -> bool:
        """Return whether a field is asked for as it was: by a value, or by a variable that has one."""
        value = self._argument(node, _PAST)
        return value is not None and not isinstance(value, NullValueNode)

    def _entities(self, node: FieldNode) -> int:
        """Return how many entities a gateway asks for, in the text or in a variable."""
        value = self._argument(node, _ENTITIES)
        if isinstance(value, ListValueNode):
            return len(value.values)
        return len(value) if isinstance(value, list) else 1

    def _argument(self, node: FieldNode, name: str) -> Any:
        """Return an argument: a node of the text, or the value of a variable; None where it is left out."""
        for argument in node.arguments:
            if argument.name.value == name:
                if not isinstance(argument.value, VariableNode):
                    return argument.value
                variable = argument.value.name.value
                return self._variables.get(variable, self._defaults.get(variable))
        return None

    def _size(self, node: FieldNode, name: str, default: Any) -> int:
        value: Any = default
        for argument in node.arguments:
            if argument.name.value == name:
                if isinstance(argument.value, VariableNode):
                    value = self._variables.get(argument.value.name.value)
                elif isinstance(argument.value, IntValueNode):
                    value = value_from_ast_untyped(argument.value)
        if not isinstance(value, int):
            return _LARGEST_PAGE  # it will be refused
        return max(1, min(value, _LARGEST_PAGE))


def _overlap_errors(document: DocumentNode) -> Iterator[GraphQLError]:
    """Yield an error for each operation that names fields so often that comparing them would take long."""
    fragments = _fragments(document)
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode):
            continue
        if _overlaps([definition.selection_set], fragments, MAX_DEPTH) > MAX_OVERLAPS:
            detail = "the query is too complex: it asks for the same fields too often: ask for each once"
            yield GraphQLError(detail, definition, extensions={"code": CODE})


def _overlaps(
    scope: Sequence[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode], levels: int
) -> int:
    """Return how many pairs of fields of one name validation compares, in selections that are merged.

    Call it for a document whose number of fields, with fragments inserted, is within its limit.
    """
    if levels == 0:  # fragments that include each other: validation reports them
        return 0
    groups: dict[str, list[FieldNode]] = {}
    spreads = 0
    waiting = [node for selections in scope for node in selections.selections]
    open_fragments: set[str] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, FieldNode):
            groups.setdefault((node.alias or node.name).value, []).append(node)
        elif isinstance(node, InlineFragmentNode):
            waiting += node.selection_set.selections
        elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments:
            spreads += 1
            if node.name.value not in open_fragments:  # validation compares each fragment once
                open_fragments.add(node.name.value)
                waiting += fragments[node.name.value].selection_set.selections
    total = spreads * (spreads - 1) // 2
    for nodes in groups.values():
        total += len(nodes) * (len(nodes) - 1) // 2
        nested = [node.selection_set for node in nodes if node.selection_set is not None]
        if nested and total <= MAX_OVERLAPS:
            total += _overlaps(nested, fragments, levels - 1)
    return total


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }


def value_error(variables: Mapping[str, Any]) -> GraphQLError | None:
    """Return the error of variables that hold too many values to be read in a moment, None for others."""
    waiting: list[Any] = [variables]
    total = 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            if any(len(name) > MAX_NAME for name in value):  # similar names would be looked for
                detail = f"the variables hold a name of more than {MAX_NAME} characters: no field has it"
                return GraphQLError(detail, extensions={"code": CODE})
            total += len(value)
            waiting += value.values() if total <= MAX_VALUES else ()
        elif isinstance(value, list):
            total += len(value)
            waiting += value if total <= MAX_VALUES else ()
        if total > MAX_VALUES:
            detail = f"the variables hold more than {MAX_VALUES} values: send fewer at once"
            return GraphQLError(detail, extensions={"code": CODE})
    return None


def command_count(document: DocumentNode, operation: OperationDefinitionNode) -> int:
    """Return how many commands a mutation carries out, at most."""
    fragments = _fragments(document)

    def count(selections: SelectionSetNode) -> int:
        total = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                total += 1
            elif isinstance(node, InlineFragmentNode):
                total += count(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                total += count(fragments[node.name.value].selection_set)
        return total

    return count(operation.selection_set)


def _is_list(type_: Any) -> bool:
    bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    return isinstance(bare, GraphQLList)


def survey(document: DocumentNode) -> tuple[bool, list[GraphQLError]]:
    """Return whether the cost depends on variables, and the errors of numbers that are none.

    It depends on them where one gives the size of a page, entities, or a moment.
    """
    surveyor = _Surveyor()
    visit(document, surveyor)
    return surveyor.found_size, surveyor.errors


class _Surveyor(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found_size = False
        self.errors: list[GraphQLError] = []

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        if node.name.value in (*_SIZES, _ENTITIES, _PAST) and isinstance(node.value, VariableNode):
            self.found_size = True

    def enter_int_value(self, node: IntValueNode, *_: Any) -> None:
        if len(node.value) > MAX_DIGITS:  # Python converts no number of thousands of digits
            self.errors.append(GraphQLError(f"write a number of at most {MAX_DIGITS} digits", node))


def check_limits(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any] = _NO_VARIABLES
) -> list[GraphQLError]:
    """Return the errors of a document that asks for too much with these *variables*."""
    errors = list(_errors(Scales(schema, document, variables), document))
    return errors or list(_overlap_errors(document))


def _errors(scales: Scales, document: DocumentNode) -> Iterator[GraphQLError]:
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode):
            continue
        weight = scales.weigh(definition)
        for name, value, most in (
            ("its depth", weight.depth + 1, MAX_DEPTH),
            ("its cost", weight.cost, MAX_COST),
            ("the number of its aliases", weight.aliases, MAX_ALIASES),
            ("the number of its fields", weight.fields, MAX_FIELDS),
        ):
            if value > most:
                detail = f"the query is too complex: {name} is {value}, at most {most} is allowed"
                yield GraphQLError(detail, definition, extensions={"code": CODE})

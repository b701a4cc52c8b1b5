"""Documents that were read and checked, kept so that a query that comes again costs neither once more."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    validate,
)
from graphql.validation import recommended_rules, specified_rules
from msgspec import Struct

from read_api.graphql.fast_path import Shapes
from read_api.graphql.limits import CODE, MOST_TOKENS, check_limits, sized_by_variables

_KEPT = 500
_KEPT_CHARACTERS = 512 * 1024
_MOST_ERRORS = 20
_TOO_DEEP = "the query is too complex: it is nested too deep"


class Prepared(Struct):
    """A document, the errors that keep it from running, and what was found out about running it.

    *sized* tells that its cost depends on variables; *shapes* are None where directives may change what is asked for.
    """

    document: DocumentNode
    errors: Sequence[GraphQLError]
    sized: bool
    shapes: Shapes | None


class Documents:
    """Read and check documents; keep those that came last."""

    def __init__(self, schema: GraphQLSchema, *, introspection: bool = True) -> None:
        """Check against *schema*; without *introspection*, refuse to tell of it."""
        self._schema = schema
        self._introspection = introspection
        self._rules: list[type[ASTValidationRule]] = [*specified_rules, *recommended_rules]
        if not introspection:
            self._rules += [NoSchemaIntrospectionCustomRule, _NoServiceRule]
        self._kept: OrderedDict[str, Prepared] = OrderedDict()
        self._characters = 0

    def prepare(self, query: str, variables: Mapping[str, Any]) -> Prepared:
        """Return the document of *query*, checked for a request with these *variables*."""
        found = self._kept.get(query)
        if found is None:
            found = self._read(query, variables)
            if not (found.sized and found.errors):
                self._keep(query, found)
        else:
            self._kept.move_to_end(query)
            if found.sized and not found.errors:
                errors = check_limits(self._schema, found.document, variables)
                return Prepared(found.document, errors, True, found.shapes) if errors else found
        return found

    def _read(self, query: str, variables: Mapping[str, Any]) -> Prepared:
        try:
            document = parse(query, max_tokens=MOST_TOKENS, no_location=False)
            sized = sized_by_variables(document)
            errors = check_limits(self._schema, document, variables) or self._validate(document)
        except GraphQLSyntaxError as error:
            return _refused(error.message, "invalid_syntax", error)
        except RecursionError:
            return _refused(_TOO_DEEP, CODE)
        plain = "@" not in query  # a directive may leave fields out, request by request
        return Prepared(document, errors, sized, {} if plain else None)

    def _validate(self, document: DocumentNode) -> list[GraphQLError]:
        return validate(
            self._schema,
            document,
            self._rules,
            max_errors=_MOST_ERRORS,
            hide_suggestions=not self._introspection,  # "did you mean" tells names too
        )

    def _keep(self, query: str, found: Prepared) -> None:
        self._kept[query] = found
        self._characters += len(query)
        while len(self._kept) > _KEPT or self._characters > _KEPT_CHARACTERS:
            left, _ = self._kept.popitem(last=False)
            self._characters -= len(left)


def _refused(message: str, code: str, error: GraphQLError | None = None) -> Prepared:
    shown = GraphQLError(
        message,
        source=None if error is None else error.source,
        positions=None if error is None else error.positions,
        extensions={"code": code},
    )
    return Prepared(DocumentNode(definitions=()), [shown], False, None)


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """Return the operation that a request means, None where it does not say which."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None:
        return operations[0] if len(operations) == 1 else None
    return next((node for node in operations if node.name is not None and node.name.value == name), None)


class _NoServiceRule(ASTValidationRule):
    """Keep the schema's text from those who may not ask for it."""

    def enter_field(self, node: Any, *_: Any) -> None:
        """Refuse the field that tells the schema to a gateway."""
        if node.name.value == "_service":
            self.report_error(GraphQLError("introspection is off, so that _service is too", node))

"""Documents that were parsed and validated, cached so that a repeated query costs neither again."""

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
    validate,
)
from graphql.validation import recommended_rules, specified_rules
from msgspec import Struct

from read_api.graphql.fast_path import Extractors
from read_api.graphql.limits import CODE, MAX_TOKENS, check_limits, survey
from read_api.graphql.sources import parsed

_CACHED = 500
_CACHED_CHARACTERS = 128 * 1024  # the parsed form of a character takes some 170 bytes
_MAX_ERRORS = 20
_TOO_DEEP = "the query is too complex: it is nested too deeply"


class PreparedDocument(Struct):
    """A document, the errors for which it may not run, and what was compiled for running it.

    The cost of a *sized* document depends on variables. *extractors* is None where directives may change the
    selection.
    """

    document: DocumentNode
    errors: Sequence[GraphQLError]
    sized: bool
    extractors: Extractors | None


class Documents:
    """Parse and validate documents; cache the most recent ones that are valid."""

    def __init__(self, schema: GraphQLSchema, *, introspection: bool = True) -> None:
        """Validate against *schema*; without *introspection*, refuse to describe it."""
        self._schema = schema
        self._introspection = introspection
        self._rules: list[type[ASTValidationRule]] = [*specified_rules, *recommended_rules]
        if not introspection:
            self._rules += [NoSchemaIntrospectionCustomRule, _NoServiceRule]
        self._cached: OrderedDict[str, PreparedDocument] = OrderedDict()
        self._characters = 0

    def prepare(self, query: str, variables: Mapping[str, Any]) -> PreparedDocument:
        """Return the document of *query*, checked for a request with these *variables*."""
        prepared = self._cached.get(query)
        if prepared is None:
            prepared = self._parsed(query, variables)
            if not prepared.errors:
                self._cache(query, prepared)
        else:
            self._cached.move_to_end(query)
            if prepared.sized:
                errors = check_limits(self._schema, prepared.document, variables)
                if errors:
                    return PreparedDocument(prepared.document, errors, True, prepared.extractors)
        return prepared

    def _parsed(self, query: str, variables: Mapping[str, Any]) -> PreparedDocument:
        try:
            document = parsed(query, MAX_TOKENS)
            sized, errors = survey(document)
            errors = errors or check_limits(self._schema, document, variables) or self._validate(document)
        except GraphQLSyntaxError as error:
            return _refused(error.message, "invalid_syntax", error)
        except RecursionError:
            return _refused(_TOO_DEEP, CODE)
        has_directives = "@" in query  # one may leave fields out, request by request
        return PreparedDocument(document, errors, sized, None if has_directives else {})

    def _validate(self, document: DocumentNode) -> list[GraphQLError]:
        return validate(
            self._schema,
            document,
            self._rules,
            max_errors=_MAX_ERRORS,
            hide_suggestions=not self._introspection,  # "did you mean" reveals names too
        )

    def _cache(self, query: str, prepared: PreparedDocument) -> None:
        self._cached[query] = prepared
        self._characters += len(query)
        while len(self._cached) > _CACHED or self._characters > _CACHED_CHARACTERS:
            oldest, _ = self._cached.popitem(last=False)
            self._characters -= len(oldest)


def _refused(message: str, code: str, error: GraphQLError | None = None) -> PreparedDocument:
    refusal = GraphQLError(
        message,
        source=None if error is None else error.source,
        positions=None if error is None else error.positions,
        extensions={"code": code},
    )
    return PreparedDocument(DocumentNode(definitions=()), [refusal], False, None)


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """Return the operation of that name, or the only one; None where the request names none of several."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None:
        return operations[0] if len(operations) == 1 else None
    return next((node for node in operations if node.name is not None and node.name.value == name), None)


class _NoServiceRule(ASTValidationRule):
    """Hide the schema's text where introspection is off."""

    def enter_field(self, node: Any, *_: Any) -> None:
        """Refuse the field that gives the schema to a federation gateway."""
        if node.name.value == "_service":
            self.report_error(GraphQLError("introspection is off, and so is _service", node))

"""Scalars of the schema beyond GraphQL's own."""

from typing import Any

import graphene
from graphql import Undefined, ValueNode, value_from_ast_untyped


class DateTime(graphene.Scalar):  # type: ignore[misc] # graphene has no types
    """An RFC 3339 time in UTC with milliseconds."""

    @staticmethod
    def serialize(value: Any) -> Any:
        """Return the time as it stands in the read models."""
        return value

    @staticmethod
    def parse_value(value: Any) -> Any:
        """Return what a variable holds."""
        return value

    @staticmethod
    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        """Return what a literal holds."""
        return value_from_ast_untyped(node, variables)


class JSON(graphene.Scalar):  # type: ignore[misc] # graphene has no types
    """Any JSON value."""

    @staticmethod
    def serialize(value: Any) -> Any:
        """Return the value as it is."""
        return value

    @staticmethod
    def parse_value(value: Any) -> Any:
        """Return what a variable holds."""
        return value

    @staticmethod
    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        """Return what a literal holds."""
        found = value_from_ast_untyped(node, variables)
        return None if found is Undefined else found

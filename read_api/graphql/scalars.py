"""Scalars of the schema in addition to GraphQL's own."""

from typing import Any

import graphene
from graphql import Undefined, ValueNode, value_from_ast_untyped


class DateTime(graphene.Scalar):  # type: ignore[misc] # graphene has no types
    """An RFC 3339 time in UTC with milliseconds."""

    @staticmethod
    def serialize(value: Any) -> Any:
        """Return the time as the read models have it."""
        return value

    @staticmethod
    def parse_value(value: Any) -> Any:
        """Return the value of a variable."""
        return value

    @staticmethod
    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        """Return the value of a literal."""
        return value_from_ast_untyped(node, variables)


class JSON(graphene.Scalar):  # type: ignore[misc] # graphene has no types
    """Any JSON value."""

    @staticmethod
    def serialize(value: Any) -> Any:
        """Return the value unchanged."""
        return value

    @staticmethod
    def parse_value(value: Any) -> Any:
        """Return the value of a variable."""
        return value

    @staticmethod
    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        """Return the value of a literal."""
        value = value_from_ast_untyped(node, variables)
        return None if value is Undefined else value

"""Root fields, each declared with its action in the policy."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import graphene
from msgspec import Struct

from read_api.gateway.operation import check_action
from read_api.graphql.arguments import Arguments
from read_api.graphql.context import Context
from read_api.graphql.struct_types import summary

Resolver = Callable[..., Awaitable[Any]]


class NoArguments(Struct, frozen=True):
    """No arguments."""


class Roots:
    """The root fields of one operation type."""

    def __init__(self) -> None:
        """Start without any."""
        self.fields: dict[str, graphene.Field] = {}
        self.actions: dict[str, str] = {}

    def __call__(
        self,
        name: str,
        type_: Any,
        action: str,
        arguments: Arguments[Any] | None = None,
    ) -> Callable[[Resolver], Resolver]:
        """Declare the decorated resolver as the field *name*; it takes the context and its checked arguments.

        A root field may be null, so that the refusal of one leaves the others in the answer.
        Raises DeclarationError for an action that the policy does not have.
        """
        check_action(action)
        takes = arguments or Arguments(NoArguments)

        def declare(resolver: Resolver) -> Resolver:
            def resolve(_: Any, info: Any, **given: Any) -> Awaitable[Any]:
                context: Context = info.context
                context.permit(action)
                return resolver(context, takes.read(given))

            self.fields[name] = graphene.Field(
                type_, args=takes.declared, resolver=resolve, description=summary(resolver)
            )
            self.actions[name] = action
            return resolver

        return declare

    def object_type(self, name: str) -> Any:
        """Return the root type with the declared fields."""
        return named(name, self.fields)


class Streams:
    """The root fields of subscriptions."""

    def __init__(self) -> None:
        """Start without any."""
        self.fields: dict[str, Any] = {}
        self.actions: dict[str, str] = {}

    def __call__(
        self, name: str, type_: Any, action: str, arguments: Arguments[Any]
    ) -> Callable[[Resolver], Resolver]:
        """Declare the decorated function as the field *name*; it returns an iterator over the field's values.

        Raises DeclarationError for an action that the policy does not have.
        """
        check_action(action)

        def declare(resolver: Resolver) -> Resolver:
            async def subscribe(_: Any, info: Any, **given: Any) -> AsyncIterator[Any]:
                context: Context = info.context
                context.permit(action)
                async for value in await resolver(context, arguments.read(given)):
                    yield value

            self.fields[name] = graphene.Field(
                type_, args=arguments.declared, required=True, description=summary(resolver)
            )
            self.fields[f"subscribe_{name}"] = staticmethod(subscribe)
            self.actions[name] = action
            return resolver

        return declare

    def object_type(self, name: str) -> Any:
        """Return the root type with the declared fields."""
        return named(name, self.fields)


def named(name: str, fields: Mapping[str, Any]) -> Any:
    """Return an object type with *fields*."""
    return type(name, (graphene.ObjectType,), dict(fields))

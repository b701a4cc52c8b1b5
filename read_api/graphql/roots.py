"""Root fields: each is declared with the action that the policy knows it as."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import graphene
from msgspec import Struct

from read_api.graphql.arguments import Arguments
from read_api.graphql.context import Context
from read_api.graphql.struct_types import summary

Resolver = Callable[..., Awaitable[Any]]


class Nothing(Struct, frozen=True):
    """No arguments."""


class Roots:
    """Collects the root fields of one operation type."""

    def __init__(self) -> None:
        """Start without any."""
        self.fields: dict[str, graphene.Field] = {}
        self.actions: dict[str, str] = {}

    def __call__(
        self,
        name: str,
        made: Any,
        action: str,
        arguments: Arguments[Any] | None = None,
    ) -> Callable[[Resolver], Resolver]:
        """Declare the decorated resolver as the field *name*; it takes the context and its checked arguments.

        A root field may be null, so that one that is refused leaves the others standing.
        """
        takes = arguments or Arguments(Nothing)

        def declare(resolver: Resolver) -> Resolver:
            def resolve(_: Any, info: Any, **given: Any) -> Awaitable[Any]:
                context: Context = info.context
                context.permit(action)
                return resolver(context, takes.read(given))

            about = summary(resolver)
            self.fields[name] = graphene.Field(made, args=takes.declared, resolver=resolve, description=about)
            self.actions[name] = action
            return resolver

        return declare

    def object_type(self, name: str) -> Any:
        """Return the root type with the declared fields."""
        return named(name, self.fields)


class Streams:
    """Collects the root fields that yield again and again."""

    def __init__(self) -> None:
        """Start without any."""
        self.fields: dict[str, Any] = {}
        self.actions: dict[str, str] = {}

    def __call__(
        self, name: str, made: Any, action: str, arguments: Arguments[Any]
    ) -> Callable[[Resolver], Resolver]:
        """Declare the decorated function as the field *name*; it returns what the field yields."""

        def declare(resolver: Resolver) -> Resolver:
            async def subscribe(_: Any, info: Any, **given: Any) -> AsyncIterator[Any]:
                context: Context = info.context
                context.permit(action)
                async for value in await resolver(context, arguments.read(given)):
                    yield value

            self.fields[name] = graphene.Field(
                made, args=arguments.declared, required=True, description=summary(resolver)
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

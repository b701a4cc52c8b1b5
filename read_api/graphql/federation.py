"""The schema as a subgraph of Apollo Federation v2: entities with keys, loaded together."""

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any

from graphene_federation import LATEST_VERSION, build_schema
from graphql import GraphQLEnumType, GraphQLError, GraphQLResolveInfo, GraphQLSchema

from projections.writes import Document
from read_api.graphql.context import Context
from read_api.graphql.limits import MAX_ENTITIES, MAX_NAME
from read_api.graphql.mutations import mutation_fields
from read_api.graphql.node import BY_UUID, FINDERS, find_as, parse_global_id
from read_api.graphql.queries import query
from read_api.graphql.roots import named
from read_api.graphql.subscriptions import subscription
from read_api.problems import BadInputError

_SERVICE_MARK = ":"


@cache
def schema() -> GraphQLSchema:
    """Return the schema; it takes a moment to build, and there is one for the whole process."""
    built = build_schema(
        query=query.object_type("Query"),
        mutation=named("Mutation", mutation_fields()),
        subscription=subscription.object_type("Subscription"),
        auto_camelcase=False,
        federation_version=LATEST_VERSION,
    )
    graphql_schema: GraphQLSchema = built.graphql_schema
    assert graphql_schema.query_type is not None  # noqa: S101 # it was given above
    graphql_schema.query_type.fields["_entities"].resolve = _entities
    for type_ in graphql_schema.type_map.values():
        if isinstance(type_, GraphQLEnumType):
            _refuse_long_values(type_)
    return graphql_schema


def _refuse_long_values(type_: GraphQLEnumType) -> None:
    """Let *type_* refuse what is longer than any of its values, without a look for similar ones."""
    parse_value = type_.parse_value

    def parse(value: Any, *options: Any, **named_options: Any) -> Any:
        if isinstance(value, str) and len(value) > MAX_NAME:
            raise GraphQLError(f"Enum '{type_.name}' has no value of {len(value)} characters.")
        return parse_value(value, *options, **named_options)

    setattr(type_, "parse_value", parse)  # noqa: B010 # an assignment to a method


async def _entities(_: Any, info: GraphQLResolveInfo, representations: list[Any]) -> list[Document | None]:
    """Return entities by their keys, None for each that the sender may not see."""
    context: Context = info.context
    context.permit("project.read")
    if len(representations) > MAX_ENTITIES:
        raise BadInputError(f"ask for at most {MAX_ENTITIES} entities", "representations")
    return list(await asyncio.gather(*(_entity(context, each) for each in representations)))


async def _entity(context: Context, representation: Any) -> Document | None:
    fields = representation if isinstance(representation, Mapping) else {}
    type_name, id_ = fields.get("__typename"), fields.get("id")
    if not isinstance(type_name, str) or type_name not in FINDERS or not isinstance(id_, str):
        raise BadInputError(
            "a representation needs the __typename of an entity, and its id", "representations"
        )
    if (
        type_name == "Account" and _SERVICE_MARK in id_
    ):  # a service has no account, but is referred to like one
        return {"__typename": type_name, "id": id_, "name": id_}
    if type_name in BY_UUID:
        return await find_as(context, type_name, id_)
    named_type, key = parse_global_id(id_)
    return await find_as(context, type_name, key) if named_type == type_name else None

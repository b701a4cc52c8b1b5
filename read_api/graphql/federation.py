"""The schema as a subgraph of Apollo Federation v2: entities with keys, found together."""

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any

from graphene_federation import LATEST_VERSION, build_schema
from graphql import GraphQLResolveInfo, GraphQLSchema

from projections.writes import Document
from read_api.gateway.problems import BadInputError
from read_api.graphql.context import Context
from read_api.graphql.mutations import mutation_fields
from read_api.graphql.node import BY_UUID, FINDERS, find_as, parse_global_id
from read_api.graphql.queries import query
from read_api.graphql.roots import named
from read_api.graphql.subscriptions import subscription

_MOST = 1_000
_UNKNOWN = ":"


@cache
def schema() -> GraphQLSchema:
    """Return the schema; it takes a moment to make, and is the same for all."""
    made = build_schema(
        query=query.object_type("Query"),
        mutation=named("Mutation", mutation_fields()),
        subscription=subscription.object_type("Subscription"),
        auto_camelcase=False,
        federation_version=LATEST_VERSION,
    )
    found: GraphQLSchema = made.graphql_schema
    assert found.query_type is not None  # noqa: S101 # it was just made
    entities = found.query_type.fields["_entities"]
    entities.resolve = _entities
    return found


async def _entities(_: Any, info: GraphQLResolveInfo, representations: list[Any]) -> list[Document | None]:
    """Find entities by their keys, None for what is not there for who asks."""
    context: Context = info.context
    context.permit("project.read")
    if len(representations) > _MOST:
        raise BadInputError(f"ask for at most {_MOST} entities", "representations")
    return list(await asyncio.gather(*(_entity(context, found) for found in representations)))


async def _entity(context: Context, representation: Any) -> Document | None:
    found = representation if isinstance(representation, Mapping) else {}
    kind, id_ = found.get("__typename"), found.get("id")
    if not isinstance(kind, str) or kind not in FINDERS or not isinstance(id_, str):
        raise BadInputError(
            "a representation has a __typename that is an entity, and an id", "representations"
        )
    if kind == "Account" and _UNKNOWN in id_:  # a service has no account, and is referred to all the same
        return {"__typename": kind, "id": id_, "name": id_}
    if kind in BY_UUID:
        return await find_as(context, kind, id_)
    of, key = parse_global_id(id_)
    return await find_as(context, kind, key) if of == kind else None

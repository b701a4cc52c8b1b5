"""GraphQL: the same queries, commands and live events as over REST, under one schema.

Only `available` may be imported where the extra `graphql` is not installed.
"""

from importlib.util import find_spec

_NEEDED = ("graphene", "graphene_federation", "aiodataloader")


def available() -> bool:
    """Tell whether the extra `graphql` is installed."""
    return all(find_spec(name) is not None for name in _NEEDED)

"""GraphQL: the same queries, commands and live events as over REST, in one schema.

Where the extra `graphql` is not installed, only `available` may be imported.
"""

from importlib.util import find_spec

_NEEDED = ("graphene", "graphene_federation", "aiodataloader")


def available() -> bool:
    """Return whether the extra `graphql` is installed."""
    return all(find_spec(name) is not None for name in _NEEDED)

"""Queries that clients name by their hash: those that were sent before, or those that an installation trusts."""

import asyncio
import hashlib
from typing import Any

from msgspec import Struct

from projections.cache import Cache
from read_api.gateway.problems import BadInputError, HttpError
from read_api.graphql.errors import NOT_FOUND_QUERY
from read_api.graphql.settings import GraphQLSettings

MOST_CHARACTERS = 64 * 1024
_SECONDS = 24 * 3_600
_HASH = 64
_VERSION = 1


class Request(Struct, kw_only=True):
    """What a client sends, by any transport (GraphQL over HTTP; Apollo's extension for persisted queries)."""

    query: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] = {}
    digest: str | None = None


class Persisted:
    """Find the text of a request's query."""

    def __init__(self, cache: Cache, settings: GraphQLSettings) -> None:
        """Keep queries in *cache*, which forgets; what is trusted is never forgotten."""
        self._cache = cache
        self._trusted = settings.trusted

    async def text(self, request: Request) -> str:
        """Return the query's text; raises HttpError where it is neither sent nor known, or not trusted."""
        query, digest = request.query, request.digest
        if query is not None and len(query) > MOST_CHARACTERS:
            raise HttpError(413, "too_large", f"a query may have up to {MOST_CHARACTERS} characters")
        if digest is not None and query is not None and _digest(query) != digest:
            raise BadInputError(
                "sha256Hash is not that of the query", "/extensions/persistedQuery/sha256Hash"
            )
        if self._trusted is not None:
            return _trusted(self._trusted, digest or _digest(query or ""))
        if digest is None:
            if query is None:
                raise BadInputError("send a query", "/query")
            return query
        if query is None:
            found = await asyncio.to_thread(self._cache.get, _key(digest))
            if found is None:
                raise HttpError(200, NOT_FOUND_QUERY, "PersistedQueryNotFound")
            return found.decode()
        return query

    async def keep(self, request: Request) -> None:
        """Keep a query that came with its hash, once it is known to be one that may run."""
        if self._trusted is None and request.query is not None and request.digest is not None:
            text = request.query.encode()
            await asyncio.to_thread(self._cache.put, _key(request.digest), text, _SECONDS)


def read_digest(extensions: Any) -> str | None:
    """Return the hash that a request names its query by; raises BadInputError."""
    found = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    if found is None:
        return None
    digest = found.get("sha256Hash") if isinstance(found, dict) else None
    if not isinstance(digest, str) or len(digest) != _HASH or found.get("version") != _VERSION:
        raise BadInputError(
            "persistedQuery takes version 1 and a sha256Hash of 64 hexadecimal digits",
            "/extensions/persistedQuery",
        )
    return digest.lower()


def _trusted(known: Any, digest: str) -> str:
    found: str | None = known.get(digest)
    if found is None:
        raise HttpError(403, "untrusted_document", "this installation runs the documents that it knows alone")
    return found


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest()


def _key(digest: str) -> str:
    return f"graphql:{digest}"

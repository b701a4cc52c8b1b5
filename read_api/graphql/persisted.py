"""Queries that clients name by their hash: sent before, or trusted by the installation."""

import asyncio
import hashlib
from collections.abc import Mapping

from projections.cache import Cache
from read_api.graphql.errors import NOT_FOUND_QUERY
from read_api.graphql.requests import GraphQLRequest
from read_api.graphql.settings import GraphQLSettings
from read_api.problems import BadInputError, HttpError

MAX_CHARACTERS = 64 * 1024
_SECONDS = 24 * 3_600


class PersistedQueries:
    """Find the text of a request's query."""

    def __init__(self, cache: Cache, settings: GraphQLSettings) -> None:
        """Keep queries in *cache*, which expires them; trusted ones do not expire."""
        self._cache = cache
        self._trusted = settings.trusted

    async def text(self, request: GraphQLRequest) -> str:
        """Return the query's text; raises HttpError where it is neither sent nor known, or not trusted."""
        query, digest = request.query, request.digest
        if query is not None and len(query) > MAX_CHARACTERS:
            raise HttpError(413, "too_large", f"a query may have up to {MAX_CHARACTERS} characters")
        if digest is not None and query is not None and _digest(query) != digest:
            raise BadInputError(
                "sha256Hash is not the hash of the query", "/extensions/persistedQuery/sha256Hash"
            )
        if self._trusted is not None:
            return _trusted(self._trusted, digest or _digest(query or ""))
        if query is not None:
            return query
        if digest is None:
            raise BadInputError("send a query", "/query")
        cached = await asyncio.to_thread(self._cache.get, _key(digest))
        if cached is None:
            raise HttpError(200, NOT_FOUND_QUERY, "PersistedQueryNotFound")
        return cached.decode()

    async def keep(self, request: GraphQLRequest) -> None:
        """Keep a query that was sent with its hash; call it once the query is known to be valid."""
        if self._trusted is None and request.query is not None and request.digest is not None:
            text = request.query.encode()
            await asyncio.to_thread(self._cache.put, _key(request.digest), text, _SECONDS)


def _trusted(documents: Mapping[str, str], digest: str) -> str:
    text = documents.get(digest)
    if text is None:
        raise HttpError(403, "untrusted_document", "this installation runs only the documents that it trusts")
    return text


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest()


def _key(digest: str) -> str:
    return f"graphql:{digest}"

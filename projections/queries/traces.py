"""What a person left in the read models: the server's own questions, when the person is erased."""

from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from domain.event import ERASED
from domain.identifiers import ACCOUNTS_HOME
from projections.store import DocumentStore, Equals, Query
from projections.writes import Document

_PAGE = 500


class Traces(Struct, frozen=True, kw_only=True):
    """Some of what a person left under one home key: the ids of documents that hold words of theirs."""

    home: str
    reviews: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()


class TraceQueries:
    """Find what a person left."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def authors(self, account_id: str, emails: Collection[str]) -> list[str]:
        """Return the authors of the commits that the account recorded under one of its own *emails*.

        An address proves nothing, for anybody may write any into a commit: what others recorded is not looked at, and
        an author's key is that of the account that records, too.
        """
        own = {email.strip().casefold() for email in emails}
        mine = self._all("commits", "recordedBy", account_id, "number")
        return sorted({item["authorId"] for item in mine if _address(item) in own})

    def of_account(self, account_id: str) -> Iterator[Traces]:
        """Yield what an account left, some at a time."""
        reviews = self._all("reviews", "authorId", account_id, "createdAt")
        yield from _by_project("reviews", (item for item in reviews if item["title"] != ERASED))
        comments = self._all("comments", "authorId", account_id, "createdAt")
        yield from _by_project("comments", (item for item in comments if item["text"] != ERASED))
        decided = self._all("reviews", "decisions.reviewerId", account_id, "createdAt")
        yield from _by_project("decisions", (item for item in decided if _has_words(item, account_id)))
        for name in ("sessions", "tokens"):
            ids = [item["id"] for item in self._all(name, "accountId", account_id, "createdAt")]
            for start in range(0, len(ids), _PAGE):
                yield replace(Traces(home=ACCOUNTS_HOME), **{name: tuple(ids[start : start + _PAGE])})

    def of_author(self, author_id: str) -> Iterator[Traces]:
        """Yield the commits of an author of commits, some at a time."""
        commits = self._all("commits", "authorId", author_id, "number")
        yield from _by_project("commits", (item for item in commits if item["message"] != ERASED), "sha")

    def _all(self, collection: str, field: str, value: str, sort: str) -> Iterator[Document]:
        query = Query(collection=collection, where=(Equals(field, value),), sort=sort, limit=_PAGE)
        while page := self._store.find(query):
            yield from page
            query = replace(query, after=(page[-1][sort], page[-1]["id"]))


def _by_project(name: str, items: Iterable[Document], key: str = "id") -> Iterator[Traces]:
    found: dict[str, list[str]] = {}
    for item in items:
        ids = found.setdefault(item["projectId"], [])
        ids.append(item[key])
        if len(ids) == _PAGE:
            yield replace(Traces(home=item["projectId"]), **{name: tuple(found.pop(item["projectId"]))})
    for project_id, ids in found.items():
        yield replace(Traces(home=project_id), **{name: tuple(ids)})


def _address(commit: Document) -> str:
    return str(commit["author"]["email"] or "").strip().casefold()


def _has_words(review: Document, reviewer_id: str) -> bool:
    return any(
        decision["reviewerId"] == reviewer_id and decision["text"] != ERASED
        for decision in review["decisions"]
    )

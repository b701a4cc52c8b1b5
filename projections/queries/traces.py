"""What a person wrote or left in the read models, asked when the person is erased."""

from collections.abc import Callable, Collection, Iterable, Iterator

from msgspec.structs import replace

from domain.erasure.commands import EraseTraces
from domain.event import ERASED
from domain.identifiers import ACCOUNTS_HOME
from projections.models.commits import COMMITS
from projections.models.reviews import COMMENTS, REVIEWS
from projections.models.sessions import SESSIONS
from projections.models.tokens import TOKENS
from projections.store import DocumentStore, Equals, Query
from projections.writes import Document

_PAGE = 500

Erase = Callable[[str, tuple[str, ...]], EraseTraces]
"""From a home key and ids of documents to the command that erases these documents."""


class TraceQueries:
    """Find the documents with words of a person, as the commands that erase them."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def authors(self, account_id: str, emails: Collection[str]) -> list[str]:
        """Return the authors of the commits that the account recorded under one of its own *emails*.

        An address proves nothing, for anybody may write any address into a commit. Therefore commits that
        others recorded do not count. An author's id depends on the account that records, so that it names no
        other person.
        """
        own = {email.strip().casefold() for email in emails}
        recorded = self._all(COMMITS, "recordedBy", account_id, "number")
        return sorted({commit["authorId"] for commit in recorded if _email(commit) in own})

    def of_account(self, account_id: str) -> Iterator[EraseTraces]:
        """Yield the commands that erase what an account left, each with a limited number of documents."""
        reviews = self._all(REVIEWS, "authorId", account_id, "createdAt")
        yield from _by_project(
            (review for review in reviews if review["title"] != ERASED),
            lambda home, ids: EraseTraces(home=home, person=account_id, reviews=ids),
        )
        comments = self._all(COMMENTS, "authorId", account_id, "createdAt")
        yield from _by_project(
            (comment for comment in comments if comment["text"] != ERASED),
            lambda home, ids: EraseTraces(home=home, person=account_id, comments=ids),
        )
        decided = self._all(REVIEWS, "decisions.reviewerId", account_id, "createdAt")
        yield from _by_project(
            (review for review in decided if _has_words_of(review, account_id)),
            lambda home, ids: EraseTraces(home=home, person=account_id, decisions=ids),
        )
        for ids in self._ids_of(SESSIONS, account_id):
            yield EraseTraces(home=ACCOUNTS_HOME, person=account_id, sessions=ids)
        for ids in self._ids_of(TOKENS, account_id):
            yield EraseTraces(home=ACCOUNTS_HOME, person=account_id, tokens=ids)

    def of_author(self, author_id: str) -> Iterator[EraseTraces]:
        """Yield the commands that erase the commits of an author, each with a limited number of commits."""
        commits = self._all(COMMITS, "authorId", author_id, "number")
        yield from _by_project(
            (commit for commit in commits if commit["message"] != ERASED),
            lambda home, shas: EraseTraces(home=home, person=author_id, commits=shas),
            key="sha",
        )

    def _ids_of(self, collection: str, account_id: str) -> Iterator[tuple[str, ...]]:
        documents = self._all(collection, "accountId", account_id, "createdAt")
        ids = [document["id"] for document in documents]
        for start in range(0, len(ids), _PAGE):
            yield tuple(ids[start : start + _PAGE])

    def _all(self, collection: str, field: str, value: str, sort: str) -> Iterator[Document]:
        query = Query(collection=collection, where=(Equals(field, value),), sort=sort, limit=_PAGE)
        while page := self._store.find(query):
            yield from page
            query = replace(query, after=(page[-1][sort], page[-1]["id"]))


def _by_project(documents: Iterable[Document], erase: Erase, *, key: str = "id") -> Iterator[EraseTraces]:
    ids_by_project: dict[str, list[str]] = {}
    for document in documents:
        project_id = document["projectId"]
        ids = ids_by_project.setdefault(project_id, [])
        ids.append(document[key])
        if len(ids) == _PAGE:
            yield erase(project_id, tuple(ids_by_project.pop(project_id)))
    for project_id, ids in ids_by_project.items():
        yield erase(project_id, tuple(ids))


def _email(commit: Document) -> str:
    return str(commit["author"]["email"] or "").strip().casefold()


def _has_words_of(review: Document, reviewer_id: str) -> bool:
    return any(
        decision["reviewerId"] == reviewer_id and decision["text"] != ERASED
        for decision in review["decisions"]
    )

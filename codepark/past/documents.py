"""What queries about a moment read: one source for each collection, none of which replays the history."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from codepark.past.moment import Moment, as_stored
from codepark.routed_store import Forwarding, Source, T
from domain.identifiers import build_stream, file_stream, review_stream, suggestion_stream
from domain.review.events import ReviewCommented
from domain.times import rfc3339
from projections.model import ReadModel
from projections.models import builds, commits, files, reviews, suggestions
from projections.models.languages import language_of
from projections.models.projects import PROJECTS
from projections.queries.access import PRESENT
from projections.store import CutShort, Equals, Query, StartsWith
from projections.writes import Document, Put


class PastSource(Forwarding):
    """Answers about one collection at a moment; each kind answers what queries ask of its collection."""

    def __init__(self, moment: Moment) -> None:
        """Answer for *moment*."""
        self._moment = moment

    def _ask(self, collection: str, ask: Callable[[Source], T], /) -> T:  # noqa: ARG002 # as in the base class
        raise ValueError(f"the past cannot answer this about {collection}")

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that existed, by id."""
        documents = ((id_, self.get(collection, id_)) for id_ in ids)
        return {id_: document for id_, document in documents if document is not None}

    def find_many(self, queries: Sequence[Query]) -> list[list[Document]]:
        """Return the documents of each of *queries*."""
        return [self.find(query) for query in queries]


class PastProjects(PastSource):
    """The project itself."""

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002, ARG002 # as in the port
        """Return the project's document, with that of now, which decides who may see its past."""
        project = self._moment.project if id == self._moment.project_id else None
        now = None if project is None else self._moment.present.get(PROJECTS, id)
        return project if project is None or now is None else {**project, PRESENT: now}


class PastFiles(PastSource):
    """Files and their contents: one file from its own stream, a list from the index."""

    def __init__(self, moment: Moment) -> None:
        """Answer for *moment*."""
        super().__init__(moment)
        self._last: dict[str, tuple[Put, ...]] = {}

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a file or its content."""
        if id not in self._last:
            self._last = {id: self._writes(id)}
        document = next((put.document for put in self._last[id] if put.collection == collection), None)
        return as_stored(document)

    def find(self, query: Query) -> list[Document]:
        """Return what lists of files show."""
        prefix = next((each.prefix for each in query.where if isinstance(each, StartsWith)), "")
        after = "" if query.after is None else str(query.after[0])
        project_id = self._moment.project_id
        return [
            {
                "id": f"{project_id}/{file.path}",
                "projectId": project_id,
                "path": file.path,
                "version": file.version,
                "size": file.size,
                "language": language_of(file.path),
                "digest": file.digest,
            }
            for file in self._moment.files(query.limit, after=after, prefix=prefix)
        ]

    def _writes(self, id_: str) -> tuple[Put, ...]:
        project_id, _, path = id_.partition("/")
        record = self._moment.last_record(file_stream(project_id, path))
        if record is None:
            return ()
        return tuple(each for each in self._moment.writes(files.MODEL, record) if isinstance(each, Put))


class PastCommits(PastSource):
    """Commits, which never change: those of the present up to the last one of the moment."""

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a commit."""
        commit = self._moment.present.get(collection, id)
        return commit if commit is not None and commit["number"] <= self._moment.commits else None

    def find(self, query: Query) -> list[Document]:
        """Return commits, the newest first."""
        return self._moment.present.find(_no_later(query, (self._moment.commits + 1, "")))


class PastStreams(PastSource):
    """Documents that each show one stream: the ids are those of the present, the states those of then."""

    def __init__(
        self,
        moment: Moment,
        model: ReadModel,
        stream_of: Callable[[str], str],
        *,
        without: frozenset[str] = frozenset(),
    ) -> None:
        """Fold the events of *model*, except the topics *without*, which do not change its documents."""
        super().__init__(moment)
        self._model = model
        self._stream_of = stream_of
        self._without = without

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a document."""
        present = self._moment.present.get(collection, id)
        return None if present is None else self._at(collection, present)

    def find(self, query: Query) -> list[Document]:
        """Return the documents of the moment, the newest first."""
        query = _no_later(query, (rfc3339(self._moment.time + 1), ""))
        shown: list[Document] = []
        while len(shown) < query.limit:
            page = self._moment.present.find(query)
            at_moment = (self._at(query.collection, document) for document in page)
            shown += [document for document in at_moment if document is not None]
            if isinstance(page, CutShort):
                if shown:
                    return CutShort(shown[: query.limit])
            elif len(page) < query.limit:
                break
            query = msgspec.structs.replace(query, after=(page[-1][query.sort], page[-1]["id"]))
        return shown[: query.limit]

    def _at(self, collection: str, present: Document) -> Document | None:
        """Return a document as it was; the present one where its stream had all its events."""
        id_, stream = present["id"], self._stream_of(present["id"])
        version = self._moment.version(stream)
        if version in (0, present["version"]):
            return present if version else None
        records = list(self._moment.records(stream, version))
        own = [record for record in records if record.topic not in self._without]
        document = self._moment.document(self._model, collection, id_, own)
        if document is None:
            return None
        return {**document, "version": version, "updatedAt": rfc3339(records[-1].occurred_at)}


class PastComments(PastSource):
    """The comments on reviews, which never change: those of the present up to the review's version."""

    def find(self, query: Query) -> list[Document]:
        """Return the comments on one review, oldest first."""
        review_id = next(each.value for each in query.where if isinstance(each, Equals))
        version = self._moment.version(review_stream(str(review_id)))
        comments = self._moment.present.find(query)
        return [comment for comment in comments if comment["number"] <= version]


class PastSuggestions(PastSource):
    """The verdicts on suggestions."""

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a verdict."""
        return self.get_many(collection, [id]).get(id)

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the verdicts that were given by then, of those that are given now."""
        verdicts: dict[str, Document] = {}
        for id_, present in self._moment.present.get_many(collection, ids).items():
            stream = suggestion_stream(present["projectId"], present["suggestionId"])
            record = self._moment.last_record(stream)
            if record is not None:
                document = self._moment.document(suggestions.MODEL, collection, id_, [record])
                verdicts |= {} if document is None else {id_: document}
        return verdicts


def sources(moment: Moment) -> Mapping[str, Source]:
    """Return what each collection of *moment* is read from, except the insights."""
    commented = frozenset({ReviewCommented.TOPIC})
    past_files = PastFiles(moment)
    return {
        PROJECTS: PastProjects(moment),
        files.FILES: past_files,
        files.CONTENTS: past_files,
        commits.COMMITS: PastCommits(moment),
        reviews.REVIEWS: PastStreams(moment, reviews.MODEL, review_stream, without=commented),
        reviews.COMMENTS: PastComments(moment),
        builds.BUILDS: PastStreams(moment, builds.MODEL, build_stream),
        suggestions.SUGGESTIONS: PastSuggestions(moment),
    }


def _no_later(query: Query, last: tuple[Any, str]) -> Query:
    """Return *query*, which is in falling order, from *last* on where it would begin before it."""
    after = query.after
    if after is not None and type(after[0]) is type(last[0]) and tuple(after) < last:
        return query
    return msgspec.structs.replace(query, after=last)

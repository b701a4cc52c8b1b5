"""The past as a replay of a project's whole history gives it: slow, and what every faster way must equal."""

from collections.abc import Callable, Sequence

from codepark.profiles.profile import Profile
from codepark.routed_store import Forwarding, RoutedStore, Source, T
from commands.log import Selection
from projections.models.accounts import ACCOUNTS
from projections.models.projects import PROJECTS
from projections.queries.access import PRESENT
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import DocumentStore
from projections.writes import Document
from read_api.query_services import Queries, queries_over
from streams.batch_projection import decode, project


class _SeenNow(Forwarding):
    """Projects of the past with their documents of now, which decide who may see them."""

    def __init__(self, past: DocumentStore, present: DocumentStore) -> None:
        self._past = past
        self._present = present

    def _ask(self, _collection: str, ask: Callable[[Source], T], /) -> T:
        return ask(self._past)

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        document, now = self._past.get(collection, id), self._present.get(collection, id)
        return document if document is None or now is None else {**document, PRESENT: now}

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        documents = {id_: self.get(collection, id_) for id_ in ids}
        return {id_: document for id_, document in documents.items() if document is not None}


def replayed(profile: Profile, project_id: str, sequence: int) -> Queries:
    """Return queries over a project as it was at *sequence*, from all of its events up to there."""
    log = profile.logs.of(project_id)
    own = SQLiteDocumentStore(None)
    store = RoutedStore(own, {ACCOUNTS: profile.store, PROJECTS: _SeenNow(own, profile.store)})
    store.prepare(profile.models)
    records = log.read(0, sequence + 1, Selection(home=project_id))
    batch = decode(log, [record for record in records if record.sequence <= sequence])
    checkpoints = store.checkpoints()
    for model in profile.models:
        store.apply([project(model, batch, checkpoints[model.name], sequence)])
    return queries_over(store)

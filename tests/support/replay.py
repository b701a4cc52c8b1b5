"""The past as a replay of a project's whole history gives it: slow, and what every faster way must equal."""

from codepark.profiles.profile import Profile
from codepark.routed_store import RoutedStore
from commands.log import Selection
from projections.models.accounts import ACCOUNTS
from projections.sqlite.store import SQLiteDocumentStore
from read_api.query_services import Queries, queries_over
from streams.batch_projection import decode, project


def replayed(profile: Profile, project_id: str, sequence: int) -> Queries:
    """Return queries over a project as it was at *sequence*, from all of its events up to there."""
    log = profile.logs.of(project_id)
    store = RoutedStore(SQLiteDocumentStore(None), {ACCOUNTS: profile.store})
    store.prepare(profile.models)
    records = log.read(0, sequence + 1, Selection(home=project_id))
    batch = decode(log, [record for record in records if record.sequence <= sequence])
    checkpoints = store.checkpoints()
    for model in profile.models:
        store.apply([project(model, batch, checkpoints[model.name], sequence)])
    return queries_over(store)

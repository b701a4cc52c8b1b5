"""Wait until what was written is measured."""

from typing import Any

import httpx

from projections.insights_model import FILE_INSIGHTS
from projections.model import ReadModel
from projections.store import Change, DocumentStore, Equals, Query


def measured(client: httpx.Client, path: str, written: httpx.Response) -> Any:
    """Return the insights of the project at *path* once they include what the answer *written* is about."""
    after = {"CodePark-After": written.headers["codepark-position"]}
    answer = client.get(f"{path}/insights", headers=after)
    assert answer.status_code == 200, answer.text
    return answer.json()


def nothing_waits(store: DocumentStore, partitions: int = 1) -> bool:
    """Return whether no file in *store* waits to be measured."""
    return not any(
        store.find(Query(collection=FILE_INSIGHTS, where=(Equals("queue", number),), limit=1))
        for number in range(partitions)
    )


def finish_turns(store: DocumentStore, model: ReadModel) -> None:
    """Measure every file that waits, as the process would have done that kept *store*."""
    assert model.catch_up is not None
    while (turn := model.catch_up(store, 0)).writes:
        checkpoint = store.checkpoints()[model.name]
        store.apply([Change(model=model.name, writes=turn.writes, checkpoint=checkpoint)])

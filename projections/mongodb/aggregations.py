"""Documents put together by the server, where several queries would be too many trips."""

from collections.abc import Mapping, Sequence

from projections.models.accounts import ACCOUNTS
from projections.models.projects import MODEL, PROJECTS
from projections.mongodb.documents import DELETED, POSITION, WORDS
from projections.mongodb.queries import conjunction
from projections.mongodb.store import MongoDocumentStore
from projections.store import Condition
from projections.writes import Document

_IDS = "_collaboratorIds"
_HIDDEN = dict.fromkeys((POSITION, WORDS, DELETED, _IDS), 0)


def projects_with_collaborators(
    store: MongoDocumentStore, where: Sequence[Condition] = (), *, limit: int = 20
) -> list[Document]:
    """Return projects, newest first, each with `collaboratorCount` and the `collaboratorAccounts` that exist.

    An account is `{id, name}`, in the order in which the project names it.
    """
    (collection,) = MODEL.collections

    def pipeline(names: Mapping[str, str]) -> list[Document]:
        return [
            {"$match": conjunction(collection, where)},
            {"$sort": {"createdAt": -1, "_id": -1}},
            {"$limit": limit},
            {
                "$addFields": {
                    "collaboratorCount": {"$size": "$collaborators"},
                    _IDS: {"$map": {"input": "$collaborators", "in": "$$this.userId"}},
                }
            },
            {
                "$lookup": {
                    "from": names[ACCOUNTS],
                    "localField": _IDS,  # not every server follows a path into a list here
                    "foreignField": "_id",
                    "as": "collaboratorAccounts",
                }
            },
            {"$project": _HIDDEN},
        ]

    return [_project(found) for found in store.aggregate(PROJECTS, pipeline)]


def _project(found: Document) -> Document:
    """Leave out what is not a collaborator's name; `$lookup` gives accounts in any order, tombstones too."""
    names = {
        account["_id"]: account["name"]
        for account in found["collaboratorAccounts"]
        if not account.get(DELETED)
    }
    joined = [item["userId"] for item in found["collaborators"] if item["userId"] in names]
    return {
        "id": found["_id"],
        **{name: value for name, value in found.items() if name != "_id"},
        "collaboratorAccounts": [{"id": id_, "name": names[id_]} for id_ in joined],
    }

"""What an account owns and may own, as the account itself sees it."""

from domain.actor import Actor
from domain.quotas import Quotas, quotas_of
from projections.queries.usage import Usage
from projections.writes import Document
from read_api.gateway.call import Call
from read_api.query_services import Queries


async def own_account(call: Call, actor: Actor) -> Document:
    """Return the account of *actor* with what it owns and may own; raises NotFoundError."""

    def ask(queries: Queries) -> tuple[Document, Usage]:
        return queries.accounts.get(actor.id, actor), queries.usage.of(actor.id)

    account, usage = await call.read(ask, account=actor.id, large=True)
    return {**account, "quotas": _shown(usage, _quotas(call, actor))}


async def own_quotas(call: Call) -> Document:
    """Return what the caller owns and may own."""
    actor = call.actor
    usage = await call.read(lambda q: q.usage.of(actor.id), large=True)
    return _shown(usage, _quotas(call, actor))


def _quotas(call: Call, actor: Actor) -> Quotas | None:
    return quotas_of(actor.id, actor.tier) if call.api.quotas.enabled else None


def _shown(usage: Usage, quotas: Quotas | None) -> Document:
    return {
        "projects": _quota(usage.owned.projects, None if quotas is None else quotas.most.projects),
        "files": _quota(usage.owned.files, None if quotas is None else quotas.most.files),
        "bytes": _quota(usage.owned.bytes, None if quotas is None else quotas.most.bytes),
        "collaborators": _quota(usage.collaborators, None if quotas is None else quotas.collaborators),
    }


def _quota(used: int, limit: int | None) -> Document:
    return {"used": used, "limit": limit}

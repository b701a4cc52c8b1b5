"""Accounts, without anything that signs them in."""

from collections.abc import Iterable

from domain.account.events import (
    AccountErased,
    AccountProfileChanged,
    AccountRegistered,
    AccountStandingChanged,
)
from domain.event import ERASED
from domain.record import Record
from domain.times import rfc3339
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Document, Patch, Put, Write

ACCOUNTS = "accounts"


def _registered(event: AccountRegistered, record: Record) -> Iterable[Write]:
    document = {
        "id": event.account_id,
        "email": event.email,
        "name": event.name,
        "roles": list(event.roles),
        "tier": event.tier,
        "createdAt": rfc3339(record.occurred_at),
        **_moved(record),
    }
    return (Put(ACCOUNTS, event.account_id, document),)


def _profile_changed(event: AccountProfileChanged, record: Record) -> Iterable[Write]:
    changes = _moved(record)
    if event.email is not None:
        changes["email"] = event.email
    if event.name is not None:
        changes["name"] = event.name
    return (Patch(ACCOUNTS, event.account_id, changes),)


def _standing_changed(event: AccountStandingChanged, record: Record) -> Iterable[Write]:
    changes = {"roles": list(event.roles), "tier": event.tier, **_moved(record)}
    return (Patch(ACCOUNTS, event.account_id, changes),)


def _erased(event: AccountErased, record: Record) -> Iterable[Write]:
    changes = {"email": ERASED, "name": ERASED, "roles": [], "erased": True, **_moved(record)}
    return (Patch(ACCOUNTS, event.account_id, changes),)


def _moved(record: Record) -> Document:
    return {"version": record.version, "updatedAt": rfc3339(record.occurred_at)}


MODEL = read_model(
    ACCOUNTS,
    {
        AccountRegistered: _registered,
        AccountProfileChanged: _profile_changed,
        AccountStandingChanged: _standing_changed,
        AccountErased: _erased,
    },
    Collection(name=ACCOUNTS, indexes=(("createdAt",),)),
    answers_commands=True,
)

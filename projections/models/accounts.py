"""Accounts, without their credentials."""

from collections.abc import Iterable
from typing import get_args

from domain.account.events import (
    AccountErased,
    AccountEvent,
    AccountProfileChanged,
    AccountRegistered,
    AccountStandingChanged,
    AddressVerified,
)
from domain.addresses import address_key
from domain.event import ERASED
from domain.record import Record
from domain.times import rfc3339
from projections.model import Collection, Shows
from projections.models.dispatch import read_model
from projections.writes import Document, Patch, Put, Write

ACCOUNTS = "accounts"
SEARCHED = ("nameKeys", "addressKeys")
"""The fields by which administrators find accounts; no answer shows them."""


def _registered(event: AccountRegistered, record: Record) -> Iterable[Write]:
    document = {
        "id": event.account_id,
        "email": event.email,
        "emailVerified": event.verified,
        "name": event.name,
        "roles": list(event.roles),
        "tier": event.tier,
        "createdAt": rfc3339(record.occurred_at),
        "nameKeys": _keys(event.name.lower()),
        "addressKeys": _keys(address_key(event.email)),
    }
    return (Put(ACCOUNTS, event.account_id, document),)


def _profile_changed(event: AccountProfileChanged, _: Record) -> Iterable[Write]:
    changes: Document = {}
    if event.email is not None:
        changes |= {"email": event.email, "emailVerified": event.verified}
        changes["addressKeys"] = _keys(address_key(event.email))
    if event.name is not None:
        changes |= {"name": event.name, "nameKeys": _keys(event.name.lower())}
    return (Patch(ACCOUNTS, event.account_id, changes),)


def _verified(event: AddressVerified, _: Record) -> Iterable[Write]:
    return (Patch(ACCOUNTS, event.account_id, {"emailVerified": True}),)


def _standing_changed(event: AccountStandingChanged, _: Record) -> Iterable[Write]:
    return (Patch(ACCOUNTS, event.account_id, {"roles": list(event.roles), "tier": event.tier}),)


def _erased(event: AccountErased, _: Record) -> Iterable[Write]:
    changes = {
        "email": ERASED,
        "name": ERASED,
        "roles": [],
        "erased": True,
        **{field: [] for field in SEARCHED},
    }
    return (Patch(ACCOUNTS, event.account_id, changes),)


def _keys(text: str) -> list[Document]:
    return [{"key": text}]


MODEL = read_model(
    ACCOUNTS,
    {
        AccountRegistered: _registered,
        AccountProfileChanged: _profile_changed,
        AddressVerified: _verified,
        AccountStandingChanged: _standing_changed,
        AccountErased: _erased,
    },
    Collection(
        name=ACCOUNTS,
        indexes=(("createdAt",),),
        multikey=tuple(f"{field}.key" for field in SEARCHED),
        shows=Shows(events=get_args(AccountEvent), document=lambda event: event.account_id),
    ),
    version=2,
    answers_commands=True,
)

"""Commands on accounts, and the inputs of the REST paths that build them."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from commands.table.fields import EmailAddress, Handle, Input, Password
from commands.table.handler import Handler, accounts_home, on_stream, stream_of_account
from commands.table.row import CommandRow
from commands.unit_of_work import UnitOfWork
from domain.account import decider
from domain.account.commands import (
    ChangeProfile,
    ChangeStanding,
    EraseAccount,
    RegisterAccount,
    VerifyAddress,
)
from domain.actor import Role, Tier
from domain.identifiers import claim_stream


class RegisterInput(Input):
    """A new account."""

    email: EmailAddress
    name: Handle
    password: Password


class ProfilePatch(Input):
    """The fields of the caller's own account to change."""

    email: EmailAddress | UnsetType = UNSET
    name: Handle | UnsetType = UNSET


class StandingPatch(Input):
    """The roles and the tier that an account gets; what is left out stays."""

    roles: Annotated[tuple[Role, ...], Meta(min_length=1, max_length=len(Role))] | UnsetType = UNSET
    tier: Tier | UnsetType = UNSET


def _register(unit: UnitOfWork, stream: str, command: RegisterAccount) -> None:
    email = unit.load(claim_stream(command.email_claim))
    name = unit.load(claim_stream(command.name_claim))
    _record(unit, stream, decider.decide_register(unit.load(stream), email, name, command, unit.actor))


def _change_profile(unit: UnitOfWork, stream: str, command: ChangeProfile) -> None:
    wanted = [claim for claim in (command.email_claim, command.name_claim) if claim is not None]
    claims = {claim: unit.load(claim_stream(claim)) for claim in wanted}
    _record(unit, stream, decider.decide_profile(unit.load(stream), claims, command, unit.actor))


def _erase(unit: UnitOfWork, stream: str, command: EraseAccount) -> None:
    _record(unit, stream, decider.decide_erase(unit.load(stream), command, unit.actor))


def _record(unit: UnitOfWork, stream: str, decision: decider.AccountDecision) -> None:
    unit.record(stream, decision.account)
    for claim, event in decision.claims:
        unit.record(claim_stream(claim), (event,))


_REGISTER = Handler(home=accounts_home, stream=stream_of_account, run=_register)
_CHANGE_PROFILE = Handler(home=accounts_home, stream=stream_of_account, run=_change_profile)
_VERIFY = Handler(home=accounts_home, stream=stream_of_account, run=on_stream(decider.decide_verify))
_CHANGE_STANDING = Handler(
    home=accounts_home, stream=stream_of_account, run=on_stream(decider.decide_standing)
)
_ERASE = Handler(home=accounts_home, stream=stream_of_account, run=_erase)

ROWS = (
    CommandRow(RegisterAccount, _REGISTER),
    CommandRow(ChangeProfile, _CHANGE_PROFILE),
    CommandRow(VerifyAddress, _VERIFY),
    CommandRow(ChangeStanding, _CHANGE_STANDING),
    CommandRow(EraseAccount, _ERASE),
)

"""`/auth/register`: open an account."""

from msgspec.structs import replace
from uuid_utils import uuid7

from commands.intake import keyed_command_id
from commands.outcomes import Accepted, KeyReusedError, Submission
from commands.table.accounts import RegisterInput
from domain.account.commands import RegisterAccount
from domain.identifiers import ACCOUNTS_HOME
from read_api.auth.common_passwords import check_password
from read_api.auth.verification import mail_verification, require_unclaimed
from read_api.contract.changed_resource import read_changed
from read_api.contract.views import AccountView
from read_api.gateway.answers import Answer, command_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.rest.accounts import ACCOUNTS
from read_api.rest.auth import AUTH

operation = Operations("Signing in")


@operation(
    "POST",
    AUTH + "/register",
    "account.register",
    input=RegisterInput,
    output=AccountView,
    status=201,
    command=True,
    statuses=(429,),
)
async def register(call: Call, data: RegisterInput) -> Answer:
    """Register an account."""
    submission = await _submission(call, data)
    try:
        accepted = await call.carry_out(submission)
    except KeyReusedError:
        await call.identity.allow(_attempts(call, data))
        raise
    account_id = accepted.stream.partition("-")[2]
    if accepted.replayed:
        await _check_replay(call, data, account_id)
    else:
        _mail(call, data, account_id, accepted)
    account = await read_changed(call, accepted, lambda q: q.accounts.get_own(account_id))
    return command_answer(call, accepted, account, status=201, location=f"{ACCOUNTS}/{account_id}")


async def _submission(call: Call, data: RegisterInput) -> Submission:
    """Return the command. Its key belongs to the address, for all callers who register are nobody yet.

    The password is no part of the fingerprint, which the log keeps for ever.
    """
    intake, identity = call.api.intake, call.identity
    check_password(data.password, email=data.email, name=data.name)
    claim = intake.claim("email", data.email)
    metadata = replace(call.command_metadata(), scope=f"register:{claim}")
    command = RegisterAccount(
        account_id=str(uuid7()),
        email=data.email,
        name=data.name,
        password_hash=await identity.passwords.hash(data.password),
        email_claim=claim,
        name_claim=intake.claim("name", data.name),
        verified=not identity.verifies,
    )
    submission = intake.submit(command, (data.email, data.name), metadata)
    earlier = None if metadata.key is None else _before_scopes(call, metadata.key, data)
    if earlier is not None:
        return replace(submission, command_id=earlier[0], fingerprint=earlier[1])
    require_unclaimed(identity, intake, data.email)
    return submission


def _before_scopes(call: Call, key: str, data: RegisterInput) -> tuple[str, str | None] | None:
    """Return the id and the fingerprint of a registration of this address that an earlier release accepted.

    All callers who were nobody shared their keys then.
    """
    command_id = keyed_command_id(call.actor.id, ACCOUNTS_HOME, key)
    records = call.api.logs.accounts.command_records(command_id)
    if not records:
        return None
    account_id = records[0].stream.partition("-")[2]
    if account_id != call.api.intake.account_with_email(data.email):
        return None
    return command_id, records[0].fingerprint


async def _check_replay(call: Call, data: RegisterInput, account_id: str) -> None:
    """Refuse a repeated key whose password is not that of the first request; it counts as a guess.

    Raises KeyReusedError, and HttpError 429.
    """
    identity = call.identity
    account = identity.principals.account(account_id)
    if not account.exists:
        return  # it was erased since: the answer says so
    async with identity.guarded(_attempts(call, data)):
        if not await identity.passwords.verify(account.password_hash, data.password):
            raise KeyReusedError(
                "this Idempotency-Key came with another body: use a new key for a new command"
            )


def _attempts(call: Call, data: RegisterInput) -> str:
    """Return the key of the counter of those who guess the password of this address."""
    return f"account:{call.api.intake.claim('email', data.email)}"


def _mail(call: Call, data: RegisterInput, account_id: str, accepted: Accepted) -> None:
    if accepted.changed:
        claim = call.api.intake.claim("email", data.email)
        mail_verification(call.identity, account_id, data.email, claim)

"""What each command is about, and which deciders it takes."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct

from commands.unit_of_work import Unit
from domain import identifiers as ids
from domain.account import commands as account_commands
from domain.account import decider as account
from domain.announcement import decider as announcement
from domain.announcement.commands import PublishAnnouncement
from domain.build import decider as build
from domain.build.commands import MoveBuild, QueueBuild
from domain.command import Command
from domain.commit import decider as commit
from domain.commit.commands import RecordCommit
from domain.credentials import commands as credentials_commands
from domain.credentials import decider as credentials
from domain.erasure import decider as erasure
from domain.erasure.commands import CompleteErasure, EraseTraces
from domain.errors import NotFoundError
from domain.event import Event
from domain.file import decider as file
from domain.file.commands import DeleteFile, WriteFile
from domain.inbox import decider as inbox
from domain.inbox.commands import ReadNotifications
from domain.project import commands as project_commands
from domain.project import decider as project
from domain.review import commands as review_commands
from domain.review import decider as review
from domain.session import commands as session_commands
from domain.session import decider as session
from domain.signing import decider as signing
from domain.signing.commands import RotateSigningKey
from domain.suggestion import decider as suggestion
from domain.suggestion.commands import AcceptSuggestion, DismissSuggestion
from domain.token import commands as token_commands
from domain.token import decider as token


class Handler(Struct, frozen=True):
    """How one type of command is carried out.

    *home* and *stream* name its home key and the stream that it is about (whose version an expected version means);
    *run* decides and records.
    """

    home: Callable[[Any], str]
    stream: Callable[[Any], str]
    run: Callable[[Unit, str, Any], None]


def _project_of(command: Any) -> str:
    return str(command.project_id)


def _run_project(unit: Unit, stream: str, command: project_commands.ProjectCommand) -> None:
    events = project.decide(unit.load(stream), command, unit.actor)
    if isinstance(command, project_commands.SetCollaborator):
        _require_account(unit, command.account_id)
    unit.record(stream, events)


def _require_account(unit: Unit, account_id: str) -> None:
    """Refuse an account that is not there; accounts have another home, so what is known of one is advisory."""
    if not unit.look(ids.ACCOUNTS_HOME, ids.account_stream(account_id)).exists:
        raise NotFoundError(f"there is no account {account_id}", code="account_not_found")


def _in_project(
    decide: Callable[[Any, Any, Any, Any], tuple[Event, ...]],
) -> Callable[[Unit, str, Any], None]:
    """Decide with the project's state beside the stream's own."""

    def run(unit: Unit, stream: str, command: Any) -> None:
        owner = unit.load(ids.project_stream(command.project_id))
        unit.record(stream, decide(owner, unit.load(stream), command, unit.actor))

    return run


def _run_commit(unit: Unit, stream: str, command: RecordCommit) -> None:
    owner = unit.load(ids.project_stream(command.project_id))
    events = commit.decide(owner, unit.load(stream), command, unit.actor)
    unit.record(stream, events)
    if not events:
        return
    for index, change in enumerate(command.changes):
        target = ids.file_stream(command.project_id, change.path)
        pointer = f"/changes/{index}/content"
        caused = file.apply_change(
            unit.load(target), command.project_id, change, command.sha, pointer=pointer
        )
        unit.record(target, caused)


def _run_register(unit: Unit, stream: str, command: account_commands.RegisterAccount) -> None:
    email = unit.load(ids.claim_stream(command.email_claim))
    name = unit.load(ids.claim_stream(command.name_claim))
    _record_account(
        unit, stream, account.decide_register(unit.load(stream), email, name, command, unit.actor)
    )


def _run_profile(unit: Unit, stream: str, command: account_commands.ChangeProfile) -> None:
    wanted = [claim for claim in (command.email_claim, command.name_claim) if claim is not None]
    claims = {claim: unit.load(ids.claim_stream(claim)) for claim in wanted}
    _record_account(unit, stream, account.decide_profile(unit.load(stream), claims, command, unit.actor))


def _record_account(unit: Unit, stream: str, decision: account.AccountDecision) -> None:
    unit.record(stream, decision.account)
    for claim, event in decision.claims:
        unit.record(ids.claim_stream(claim), (event,))


def _run_standing(unit: Unit, stream: str, command: account_commands.ChangeStanding) -> None:
    unit.record(stream, account.decide_standing(unit.load(stream), command, unit.actor))


def _run_erase(unit: Unit, stream: str, command: account_commands.EraseAccount) -> None:
    _record_account(unit, stream, account.decide_erase(unit.load(stream), command, unit.actor))


def _run_credentials(unit: Unit, stream: str, command: credentials_commands.CredentialsCommand) -> None:
    owner = unit.load(ids.account_stream(command.account_id))
    unit.record(stream, credentials.decide(owner, unit.load(stream), command, unit.actor))


def _run_session(unit: Unit, stream: str, command: session_commands.SessionCommand) -> None:
    owner = unit.load(ids.account_stream(command.account_id))
    used = unit.load(ids.credentials_stream(command.account_id))
    unit.record(stream, session.decide(owner, used, unit.load(stream), command, unit.actor))


def _run_token(unit: Unit, stream: str, command: token_commands.TokenCommand) -> None:
    owner = unit.load(ids.account_stream(command.account_id))
    unit.record(stream, token.decide(owner, unit.load(stream), command, unit.actor))


def _run_signing(unit: Unit, stream: str, command: RotateSigningKey) -> None:
    unit.record(stream, signing.decide(unit.load(stream), command, unit.actor))


def _run_erasure(unit: Unit, stream: str, command: EraseTraces | CompleteErasure) -> None:
    unit.record(stream, erasure.decide(unit.load(stream), command, unit.actor))


def _run_announcement(unit: Unit, stream: str, command: PublishAnnouncement) -> None:
    if unit.version(stream) == 0:
        unit.record(stream, announcement.decide(command, unit.actor))


def _run_inbox(unit: Unit, stream: str, command: ReadNotifications) -> None:
    unit.record(stream, inbox.decide(unit.load(stream), command, unit.actor))


def _accounts_home(command: Command) -> str:  # noqa: ARG001 # the signature of every home
    return ids.ACCOUNTS_HOME


def _account_stream(command: Any) -> str:
    return ids.account_stream(command.account_id)


def _handlers(
    types: Iterable[type[Command]],
    stream: Callable[[Any], str],
    run: Callable[[Unit, str, Any], None],
    home: Callable[[Any], str] = _project_of,
) -> dict[type[Command], Handler]:
    return {command: Handler(home, stream, run) for command in types}


HANDLERS: dict[type[Command], Handler] = {
    **_handlers(
        project_commands.ProjectCommand.__args__, lambda c: ids.project_stream(c.project_id), _run_project
    ),
    **_handlers(
        (WriteFile, DeleteFile), lambda c: ids.file_stream(c.project_id, c.path), _in_project(file.decide)
    ),
    **_handlers((RecordCommit,), lambda c: ids.commits_stream(c.project_id), _run_commit),
    **_handlers(
        review_commands.ReviewCommand.__args__,
        lambda c: ids.review_stream(c.review_id),
        _in_project(review.decide),
    ),
    **_handlers((QueueBuild, MoveBuild), lambda c: ids.build_stream(c.build_id), _in_project(build.decide)),
    **_handlers(
        (AcceptSuggestion, DismissSuggestion),
        lambda c: ids.suggestion_stream(c.project_id, c.suggestion_id),
        _in_project(suggestion.decide),
    ),
    **_handlers((account_commands.RegisterAccount,), _account_stream, _run_register, _accounts_home),
    **_handlers((account_commands.ChangeProfile,), _account_stream, _run_profile, _accounts_home),
    **_handlers((account_commands.ChangeStanding,), _account_stream, _run_standing, _accounts_home),
    **_handlers((account_commands.EraseAccount,), _account_stream, _run_erase, _accounts_home),
    **_handlers(
        credentials_commands.CredentialsCommand.__args__,
        lambda c: ids.credentials_stream(c.account_id),
        _run_credentials,
        _accounts_home,
    ),
    **_handlers(
        session_commands.SessionCommand.__args__,
        lambda c: ids.session_stream(c.session_id),
        _run_session,
        _accounts_home,
    ),
    **_handlers(
        token_commands.TokenCommand.__args__,
        lambda c: ids.token_stream(c.token_id),
        _run_token,
        _accounts_home,
    ),
    **_handlers(
        (EraseTraces,),
        lambda c: ids.erasure_stream(c.home, c.person),
        _run_erasure,
        lambda c: str(c.home),
    ),
    **_handlers(
        (CompleteErasure,),
        lambda c: ids.erasure_stream(ids.ACCOUNTS_HOME, c.account_id),
        _run_erasure,
        _accounts_home,
    ),
    **_handlers((RotateSigningKey,), lambda _: ids.SIGNING_STREAM, _run_signing, _accounts_home),
    **_handlers(
        (PublishAnnouncement,),
        lambda c: ids.announcement_stream(c.announcement_id),
        _run_announcement,
        lambda c: str(c.announcement_id),
    ),
    **_handlers(
        (ReadNotifications,),
        lambda c: ids.inbox_stream(c.account_id),
        _run_inbox,
        lambda c: str(c.account_id),
    ),
}


def carry_out(unit: Unit, command: Command) -> str:
    """Decide *command*, record what it causes, and return the stream it was about; raises Refusal."""
    handler = HANDLERS[type(command)]
    stream = handler.stream(command)
    handler.run(unit, stream, command)
    return stream


def touched_streams(command: Command) -> Iterator[str]:
    """Yield the streams that deciding *command* certainly loads."""
    yield HANDLERS[type(command)].stream(command)
    project_id = getattr(command, "project_id", None)
    if project_id is not None:
        yield ids.project_stream(project_id)
    if isinstance(command, RecordCommit):
        for path in commit.touched_paths(command):
            yield ids.file_stream(command.project_id, path)


def looked_at(command: Command) -> Iterator[tuple[str, str]]:
    """Yield the streams of other homes that deciding *command* looks at, each behind its home key."""
    if isinstance(command, project_commands.SetCollaborator):
        yield ids.ACCOUNTS_HOME, ids.account_stream(command.account_id)


def home_of(command: Command) -> str:
    """Return the home key of what *command* is about."""
    return HANDLERS[type(command)].home(command)

"""One request on its way through a handler: who sends it, what it carries, and what may be done for it."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from uuid_utils import uuid7

from commands.bus import BusyError, accepted
from commands.intake import CommandMetadata as IntakeRequest
from commands.log import LogUnavailableError, Selection
from commands.outcomes import Accepted, Submission
from commands.position import START, Position, PositionError, parse_position
from domain.actor import ANONYMOUS, Actor
from domain.command import Command
from projections.insights_model import INSIGHTS
from projections.progress import BlockedError
from projections.queries.composed_answers import Rendered
from projections.queries.page import Page
from projections.store import StoreUnavailableError
from read_api.api import Api
from read_api.auth.principals import RECENT_SECONDS, Principal
from read_api.auth.tokens import unauthorized
from read_api.gateway.conditions import etag, expected_version, not_modified
from read_api.gateway.problems import RETRY_SECONDS, BadInputError, HttpError
from read_api.query_services import Queries

JSON_TYPE = "application/json"
_KEY_LENGTH = 255
_KEY = re.compile(f"[!-~]{{1,{_KEY_LENGTH}}}")
_TRACE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

T = TypeVar("T")

NOBODY = Principal(ANONYMOUS)


class Answer(Struct, kw_only=True):
    """What a handler answers: a status, a body that is ready to send, headers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    media_type: str = JSON_TYPE


class Call:
    """One request. *path* holds the parameters of its path, *query* those of its query, both as text."""

    __slots__ = (
        "_carried",
        "_principal",
        "_settled",
        "api",
        "headers",
        "path",
        "query",
        "request_id",
        "state",
    )

    def __init__(
        self,
        api: Api,
        headers: dict[str, str],
        path: dict[str, str],
        query: dict[str, str],
        request_id: str,
        state: dict[str, Any] | None = None,
    ) -> None:
        """Keep what the request carries; header names are in lower case, *state* is that of its connection."""
        self.api = api
        self.headers = headers
        self.path = path
        self.query = query
        self.request_id = request_id
        self.state: dict[str, Any] = {} if state is None else state
        self._principal: Principal | None = None
        self._settled: Position | None = None
        self._carried = START

    @property
    def address(self) -> str:
        """Return the address that the request comes from, as far as proxies are trusted; of IPv6 its network."""
        return str(self.state.get("address", ""))

    @property
    def actor(self) -> Actor:
        """Return who sends the request; raises HttpError 401 for a token that is not valid."""
        if self._principal is None:
            self._principal = self.authenticate()
        return self._principal.actor

    @property
    def session(self) -> str | None:
        """Return the session of the request's access token; None for other tokens. Raises as `actor` does."""
        return None if self.actor.is_anonymous or self._principal is None else self._principal.session

    def authenticate(self) -> Principal:
        """Find out who sends the request, as it is now; raises HttpError 401 for a token that is not valid."""
        header = self.headers.get("authorization")
        if header is None:
            return NOBODY
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthorized("send `Authorization: Bearer <access token>`", "invalid_token")
        return self.api.identity.principals.of(token.strip())

    def still(self) -> bool:
        """Tell whether who sent the request may still act as before: for what goes on for long."""
        principal = self._principal
        return principal is None or self.api.identity.principals.is_still_valid(principal)

    def signed_in(self) -> Actor:
        """Return who sends the request; raises HttpError 401 for nobody."""
        if self.actor.is_anonymous:
            raise unauthorized("sign in and send the access token as `Authorization: Bearer <token>`")
        return self.actor

    def signed_in_anew(self) -> Actor:
        """Return who sends the request, who has signed in a short while ago; raises HttpError 401.

        So a session that somebody left open, or that was stolen, is not enough to take an account over (RFC 9470).
        """
        actor, principals = self.signed_in(), self.api.identity.principals
        if actor.scopes is None and self.session is None:
            return actor  # the operator's own token: there is nothing to sign in to
        if self.session is None or not principals.is_recent(self.session):
            raise HttpError(
                401,
                "insufficient_user_authentication",
                "sign in again, with your password, and send the new access token",
                headers={
                    "WWW-Authenticate": 'Bearer error="insufficient_user_authentication", '
                    f'error_description="sign in again", max_age="{RECENT_SECONDS}"'
                },
            )
        return actor

    def request(self) -> IntakeRequest:
        """Return what accompanies a command."""
        key = self.headers.get("idempotency-key")
        return IntakeRequest(
            actor=self.actor,
            key=None if key is None else _checked_key(key),
            expected_version=expected_version(self.headers.get("if-match")),
            correlation=self.request_id,
            traceparent=_traceparent(self.headers.get("traceparent")),
        )

    async def execute(self, type_name: str, data: Any, *, target: str = "") -> Accepted:
        """Carry out the command *type_name* that *data* describes; raises Refusal, HttpError, LogUnavailableError."""
        submission = self.api.intake.submission(type_name, data, self.request(), target=target)
        return await self.carry_out(submission)

    async def submit(self, command: Command) -> Accepted:
        """Carry out a command that has no body; raises as `execute` does."""
        return await self.carry_out(self.api.intake.submit(command, None, self.request()))

    async def settle(self, command: Command, actor: Actor) -> Accepted:
        """Carry out for *actor* what no idempotency key goes with, and wait until its effect is known here.

        Raises as `execute` does.
        """
        request = IntakeRequest(
            actor=actor,
            correlation=self.request_id,
            traceparent=_traceparent(self.headers.get("traceparent")),
        )
        done = await self.carry_out(self.api.intake.submit(command, None, request))
        behind = [
            number
            for number, sequence in done.position.sequences.items()
            if self.api.logs[number].tip().sequence < sequence
        ]
        if behind:
            await self.reached(done.position.token())
        self._settled = done.position
        return done

    def settled_headers(self) -> dict[str, str]:
        """Return the header that tells how far in the history this answer reaches, where it settled anything."""
        return {} if self._settled is None else {"CodePark-Position": self.behind(self._settled).token()}

    def new_id(self) -> str:
        """Draw an id, in order of time."""
        return str(uuid7())

    async def carry_out(self, submission: Submission) -> Accepted:
        """Carry out *submission*, once at a time for each idempotency key."""
        self._carried = self.carried()
        command_id, in_flight = submission.command_id, self.api.in_flight
        if command_id in in_flight:
            raise HttpError(
                409,
                "in_flight",
                "the first request with this Idempotency-Key is still under way",
                headers={"Retry-After": str(RETRY_SECONDS), "CodePark-Command": command_id},
            )
        in_flight.add(command_id)
        try:
            async with asyncio.timeout(self.api.answer_seconds):
                outcomes = await self.api.bus.execute([submission])
            return accepted(outcomes[0])
        except (TimeoutError, LogUnavailableError, BusyError) as error:
            raise HttpError(
                503,
                "busy" if isinstance(error, BusyError) else "log_unavailable",
                str(error) or "no outcome in time",
                headers={"Retry-After": str(RETRY_SECONDS), "CodePark-Command": command_id},
            ) from error
        finally:
            in_flight.discard(command_id)

    def carried(self) -> Position:
        """Return the position that the caller of a command has of other partitions; raises PositionError.

        With one partition there are no others, and nothing is read.
        """
        token = self.headers.get("codepark-after")
        if token is None or len(self.api.logs) == 1:
            return START
        return _named(self.api, parse_position(token))

    async def required(self) -> dict[int, int]:
        """Return the sequences that an answer must include, by partition."""
        token = self.headers.get("codepark-after")
        latest = {log.number: log.tip().sequence for log in self.api.logs} if self.api.read_latest else {}
        if token is not None:
            for partition, sequence in (await self.reached(token)).sequences.items():
                latest[partition] = max(sequence, latest.get(partition, 0))
        return latest

    async def reached(self, token: str) -> Position:
        """Return the position of *token* once the log has it.

        Raises PositionError where the token belongs to another log, and HttpError 503 where the log does not come
        there in time.
        """
        position, hub = _named(self.api, parse_position(token)), self.api.hub
        sequences = position.sequences
        ahead = [partition for partition, sequence in sequences.items() if sequence > hub.tip(partition)]
        if ahead:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.api.wait_seconds):
                    for partition in ahead:
                        await hub.changed({partition: sequences[partition] - 1})
            if any(sequences[number] > self.api.logs[number].tip().sequence for number in ahead):
                raise HttpError(
                    503,
                    "position_ahead",
                    "the history has not come to this position; try again",
                    headers={"Retry-After": str(RETRY_SECONDS)},
                )
        return _of_this_log(self.api, position)

    async def read(
        self, ask: Callable[[Queries], T], *, project: str | None = None, at: Accepted | None = None
    ) -> T:
        """Ask the read models once they include what the caller must see; *project* is whose insights count.

        Raises StoreUnavailableError where they do not include it in time; of a command that was accepted (*at*),
        HttpError 503 that tells so.
        """
        if at is None:
            return await self._read(ask, project, None)
        try:
            if self.api.left is not None:
                found: T | None = await self.api.left(at, ask)
                if found is not None:
                    return found
            return await self._read(ask, project, at)
        except StoreUnavailableError as error:
            headers = {
                "Retry-After": str(RETRY_SECONDS),
                "CodePark-Command": at.command_id,
                "CodePark-Position": self.behind(at.position).token(),
            }
            detail = f"the command is accepted, but cannot be shown yet: {error}"
            raise HttpError(503, "projection_unavailable", detail, headers=headers) from error

    async def _read(self, ask: Callable[[Queries], T], project: str | None, at: Accepted | None) -> T:
        sequences = self.behind(at.position).sequences if at is not None else await self.required()
        progress, api = self.api.progress, self.api
        await progress.wait(api.models, sequences, api.wait_seconds)
        if project is not None:
            number = api.logs.number_of(project)
            needed = progress.needed(INSIGHTS, project, sequences.get(number, 0), number)
            await progress.wait((INSIGHTS,), {number: needed}, api.wait_seconds)
        self._check_blocked()
        return await self.asked(ask)

    async def asked(self, ask: Callable[[Queries], T]) -> T:
        """Ask the read models as they are now: here, or in a thread where that goes over a network."""
        if self.api.in_threads:
            return await asyncio.to_thread(ask, self.api.queries)
        return ask(self.api.queries)

    async def read_list(self, ask: Callable[[Queries], Page]) -> Page:
        """Ask for a page of projects, once more after its insights have caught up with what the caller must see.

        With a position, a project whose events wait among the dead letters is refused rather than shown stale.
        """
        sequences = await self.required()
        page = await self.read(ask)
        ids = [item["id"] for item in page.items]
        if "codepark-after" in self.headers:
            for model in self.api.models:
                for stream in self.api.progress.blocked(model) & {f"project-{id_}" for id_ in ids}:
                    raise BlockedError(f"an event of {stream} waits among the dead letters of {model}")
        needed = self._needed_insights(ids, sequences)
        progress = self.api.progress
        if all(progress.sequence(INSIGHTS, number) >= sequence for number, sequence in needed.items()):
            return page
        await progress.wait((INSIGHTS,), needed, self.api.wait_seconds)
        return await self.read(ask)

    def _needed_insights(self, ids: Sequence[str], sequences: Mapping[int, int]) -> dict[int, int]:
        """Return how far the insights must be for a list of projects, by partition."""
        progress, needed = self.api.progress, dict[int, int]()
        for id_ in ids:
            number = self.api.logs.number_of(id_)
            sequence = progress.needed(INSIGHTS, id_, sequences.get(number, 0), number)
            needed[number] = max(sequence, needed.get(number, 0))
        return needed

    def _check_blocked(self) -> None:
        """Refuse to answer about a project of which an event waits among the dead letters."""
        project, progress = self.path.get("project_id"), self.api.progress
        if project is None:
            return
        for model in self.api.models:
            if any(self._is_of(stream, project) for stream in progress.blocked(model)):
                raise BlockedError(f"an event of project {project} waits among the dead letters of {model}")

    def _is_of(self, stream: str, project: str) -> bool:
        records = self.api.logs.of(project).read(0, 1, Selection(stream=stream))
        return bool(records) and records[0].home == project

    def behind(self, position: Position) -> Position:
        """Return *position* with what the caller has seen of other partitions: a client keeps one token."""
        return self._carried.moved(position)

    def command_headers(self, done: Accepted) -> dict[str, str]:
        """Return the headers that tell a command's outcome."""
        headers = {
            "ETag": etag(done.version),
            "CodePark-Position": self.behind(done.position).token(),
            "CodePark-Command": done.command_id,
        }
        if done.replayed:
            headers["Idempotency-Replayed"] = "true"
        return headers

    def shown(self, document: dict[str, Any], version: int, *, composed: bool = False) -> Answer:
        """Answer a query with *document*, or with 304 where the client has it."""
        document = self.picked(document)
        body = msgspec.json.encode(document)
        tag = etag(version, body if composed else None)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
        if not_modified(self.headers.get("if-none-match"), tag):
            return Answer(status=304, headers=headers)
        return Answer(body=body, headers=headers)

    def rendered(self, found: Rendered) -> Answer:
        """Answer a query with what is ready to be sent."""
        if "fields" in self.query:
            return self.shown(found.document, found.document["version"], composed=True)
        tag = f'"{found.document["version"]}-{found.digest}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
        if not_modified(self.headers.get("if-none-match"), tag):
            return Answer(status=304, headers=headers)
        return Answer(body=found.body, headers=headers)

    def picked(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of *document* that `?fields=` asks for; raises BadInputError."""
        wanted = self.query.get("fields")
        return document if wanted is None else pick(document, wanted)


def pick(document: dict[str, Any], wanted: str) -> dict[str, Any]:
    """Return the named fields of *document*."""
    names = [name for name in wanted.split(",") if name]
    if not names or any(not name.isidentifier() for name in names):
        raise BadInputError("fields takes names separated by commas", "fields")
    return {name: document[name] for name in names if name in document}


def _of_this_log(api: Api, position: Position) -> Position:
    """Return *position*; raises PositionError where this log never was there."""
    for number, sequence in position.sequences.items():
        log = api.logs[number]
        tip = log.tip()
        if sequence > 0:
            chain = tip.chain if sequence == tip.sequence else log.read(sequence - 1, 1)[0].chain
            if not position.matches(chain, number):
                raise PositionError("this position token belongs to another log")
    return position


def _named(api: Api, position: Position) -> Position:
    """Return *position*; raises PositionError where it names a partition that this log does not have."""
    if any(number >= len(api.logs) for number in position.partitions):
        raise PositionError("this position token belongs to another log")
    return position


def _traceparent(value: str | None) -> str | None:
    """Return the trace that the request belongs to; what is not one is ignored (W3C Trace Context, section 3.2)."""
    return value if value is not None and _TRACE.fullmatch(value) else None


def _checked_key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise BadInputError(
            f"an Idempotency-Key has 1 to {_KEY_LENGTH} printable characters and no spaces", "Idempotency-Key"
        )
    return key

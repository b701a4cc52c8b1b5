"""Refuse commands on reviews that their sender may not know of, in a project that they do see.

A review of a private time is not shown to outsiders once the project is public. The states of the log do not
say when a review was opened, so this is decided by the read models, as every query decides it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from commands.outcomes import Submission
from domain.actor import Actor
from domain.errors import NotFoundError, Refusal
from domain.policy import permit
from domain.review.commands import CloseReview, CommentReview
from projections.store import StoreUnavailableError
from read_api.gateway.consistency import Consistency

_OPEN_TO_OUTSIDERS = (CommentReview, CloseReview)
"""The commands on a review that need no role that outsiders lack: everybody else is refused alike."""

_Reviews = dict[tuple[str, Actor], list[tuple[int, str]]]


class HiddenReviews:
    """Finds the commands of a request that are about reviews which their sender does not see."""

    def __init__(self, consistency: Consistency, is_recorded: Callable[[str], bool]) -> None:
        """Ask the read models through *consistency*; *is_recorded* returns whether the log has a command."""
        self._consistency = consistency
        self._is_recorded = is_recorded

    async def refusals(self, submissions: Sequence[Submission]) -> dict[int, Refusal]:
        """Return the refusals of such commands, by their places: those of a review that is none.

        Of most projects everybody sees the whole history: they are looked up, and nothing is waited for.
        Raises StoreUnavailableError where a project may hide a part, and the read models do not say which.
        """
        refusals: dict[int, Refusal] = {}
        for (project_id, actor), asked in self._asked(submissions).items():
            if await self._hides_some(project_id, actor):
                ids = {review_id for _, review_id in asked}
                hidden = await self._hidden(project_id, sorted(ids), actor)
                refusals |= {place: _not_found() for place, review_id in asked if review_id in hidden}
        return refusals

    def _asked(self, submissions: Sequence[Submission]) -> _Reviews:
        """Return the places and reviews of the commands that are not refused or repeated anyway."""
        asked: _Reviews = {}
        for place, submission in enumerate(submissions):
            command: Any = submission.command
            if not isinstance(command, _OPEN_TO_OUTSIDERS) or not _may(submission.actor, command.NAME):
                continue
            if not (submission.keyed and self._is_recorded(submission.command_id)):
                reviews = asked.setdefault((command.project_id, submission.actor), [])
                reviews.append((place, command.review_id))
        return asked

    async def _hides_some(self, project_id: str, actor: Actor) -> bool:
        """Return whether the project may have a private time that *actor* could not see.

        It may have one where the read models are behind. While they are unavailable, commands pass: they
        need the log alone.
        """
        version = self._consistency.project_version(project_id)
        with suppress(StoreUnavailableError):
            return await self._consistency.look(lambda q: q.reviews.hides_some(project_id, version, actor))
        return False

    async def _hidden(self, project_id: str, review_ids: Sequence[str], actor: Actor) -> set[str]:
        return await self._consistency.read_current(
            lambda q: q.reviews.hidden(project_id, review_ids, actor), project_id
        )


def _may(actor: Actor, action: str) -> bool:
    """Return whether the policy lets *actor* take this action in somebody else's public project."""
    with suppress(Refusal):
        permit(actor, action)
        return actor.verified
    return False


def _not_found() -> NotFoundError:
    return NotFoundError("the project has no such review", code="review_not_found")

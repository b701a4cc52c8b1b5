"""Commands on reviews of a private time, as outsiders send them."""

import asyncio

import pytest

from commands.outcomes import Submission
from domain.actor import ANONYMOUS, Actor, Role
from domain.errors import Refusal
from domain.file.commands import DeleteFile
from domain.review.commands import CloseReview, CommentReview
from projections.models.projects import PROJECTS
from projections.models.reviews import REVIEWS
from projections.queries.reviews import ReviewQueries
from projections.store import StoreUnavailableError
from read_api.gateway.hidden_reviews import HiddenReviews

OWNER, EVE = (Actor(id=id_, roles=frozenset({Role.USER})) for id_ in ("owner", "eve"))
ANALYST = Actor(id="ana", roles=frozenset({Role.ANALYST}))
UNVERIFIED = Actor(id="mal", roles=frozenset({Role.USER}), verified=False)
PRIVATE = {"version": 1, "visibility": "private", "ownerId": "owner", "collaborators": []}
PUBLIC = {**PRIVATE, "version": 2, "visibility": "public", "privateSpans": [[1, 10]]}
CLOSE = CloseReview(project_id="p", review_id="hidden")


class ReadModels:
    """A store that has *project* now and *later* once it is waited for; counts the waiting."""

    def __init__(self, project=PUBLIC, later=PUBLIC):
        self.project, self.later = project, later
        self.reviews = ReviewQueries(self)
        self.waited = 0
        self.available = True

    def get(self, collection, _):
        assert collection == PROJECTS
        return self.project

    def get_many(self, collection, ids):
        assert collection == REVIEWS
        known = {"hidden": {"projectId": "p", "sequence": 5}, "shown": {"projectId": "p", "sequence": 12}}
        return {id_: known[id_] for id_ in ids if id_ in known}

    def project_version(self, _):
        return self.later["version"]

    async def look(self, ask):
        if not self.available:
            raise StoreUnavailableError("away")
        return ask(self)

    async def read_current(self, ask, project):
        assert project == "p"
        self.waited += 1
        self.project = self.later
        return ask(self)


def comment(review_id):
    return CommentReview(
        project_id="p", review_id=review_id, comment_id="c", text="t", path=None, line=None, mentions=()
    )


def refusals(models, *commands, actor=EVE, recorded=()):
    hidden = HiddenReviews(models, lambda id_: id_ in recorded)
    submissions = [Submission(command=each, command_id="i", actor=actor, keyed=True) for each in commands]
    found: dict[int, Refusal] = asyncio.run(hidden.refusals(submissions))
    assert {each.specific_code for each in found.values()} <= {"review_not_found"}
    return sorted(found)


def test_an_outsider_finds_no_review_of_a_private_time_and_the_project_is_asked_once():
    models = ReadModels()
    commands = (comment("hidden"), comment("shown"), DeleteFile(project_id="p", path="a"), CLOSE)
    assert refusals(models, *commands, comment("none")) == [0, 3]
    assert models.waited == 1


def test_who_sees_everything_waits_for_nothing():
    models = ReadModels()
    assert refusals(models, comment("hidden"), CLOSE, actor=OWNER) == []
    assert models.waited == 0


@pytest.mark.parametrize("actor", [ANONYMOUS, ANALYST, UNVERIFIED])
def test_who_is_refused_anyway_is_refused_as_for_a_review_that_is_none(actor):
    assert refusals(ReadModels(), comment("hidden"), CLOSE, actor=actor) == []


def test_read_models_that_are_behind_are_waited_for():
    for before in (None, PRIVATE):
        models = ReadModels(before)
        assert refusals(models, comment("hidden")) == [0]
        assert models.waited == 1


def test_a_private_project_is_left_to_the_decider_for_whom_it_is_not_there():
    private = {**PUBLIC, "visibility": "private", "privateSpans": [[1, None]]}
    assert refusals(ReadModels(private, private), comment("hidden")) == []


def test_a_repeated_command_is_answered_from_the_log():
    assert refusals(ReadModels(), comment("hidden"), recorded=("i",)) == []


def test_while_the_read_models_are_unavailable_commands_pass():
    models = ReadModels()
    models.available = False
    assert refusals(models, comment("hidden")) == []

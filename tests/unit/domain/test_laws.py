"""Laws that hold of every decider: random commands by random people, refused or not."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from domain.build import decider as build
from domain.build.commands import BuildCommand, MoveBuild
from domain.errors import Refusal
from domain.file import decider as file
from domain.file.commands import FileCommand, WriteFile
from domain.project import decider as project
from domain.project.commands import DeleteProject, ProjectCommand, SetCollaborator, UpdateProject
from domain.review import decider as review
from domain.review.commands import CloseReview, ReviewCommand
from domain.suggestion import decider as suggestion
from domain.suggestion.commands import SuggestionCommand
from tests.unit.domain.people import (
    ADMIN,
    ANONYMOUS,
    AUDITOR,
    EDITOR,
    MAINTAINER,
    OWNER,
    PRIVATE,
    PROJECT_ID,
    STRANGER,
    TEAM,
    VIEWER,
    created,
)

ACTORS = st.sampled_from([OWNER, MAINTAINER, EDITOR, VIEWER, STRANGER, ADMIN, AUDITOR, ANONYMOUS])
IDS = st.sampled_from(["owner", "maintainer", "editor", "viewer", "stranger", ""])
CHANGES = st.dictionaries(
    st.sampled_from(["name", "description", "visibility", "language", "owner"]),
    st.one_of(st.none(), st.sampled_from(["public", "private"]), st.text(max_size=3)),
)


def commands(union):
    """Return a strategy for commands of all types in *union*, about the one project of the examples."""
    return st.one_of(
        [
            st.builds(
                cls,
                **{
                    name: strategy
                    for name, strategy in {
                        "project_id": st.just(PROJECT_ID),
                        "account_id": IDS,
                        "changes": CHANGES,
                        "path": st.sampled_from(["a.py", "../x"]),
                        "comment_id": st.sampled_from("abc"),
                    }.items()
                    if name in cls.__struct_fields__
                },
            )
            for cls in union.__args__
        ]
    )


def run(decider, steps, before=(), around=(), retried=()):
    """Decide *steps* in order; check that a retried command of the types *retried* adds nothing."""
    state = reduce(decider.evolve, before, decider.INITIAL)
    for command, actor in steps:
        try:
            events = decider.decide(*around, state, command, actor)
        except Refusal:
            continue
        assert not actor.is_anonymous
        state = reduce(decider.evolve, events, state)
        if isinstance(command, retried) and not lost_sight(command, actor):
            assert decider.decide(*around, state, command, actor) == ()
    return state


def lost_sight(command, actor):
    """Return whether the actor may have lost the role: a maintainer can make themself a viewer."""
    return isinstance(command, SetCollaborator) and command.account_id == actor.id


@given(st.lists(st.tuples(commands(ProjectCommand), ACTORS), max_size=12))
def test_projects(steps):
    state = run(project, steps, (created(), *TEAM), retried=(SetCollaborator, UpdateProject))
    assert state.owner_id == OWNER.id
    assert OWNER.id not in state.collaborators


@given(st.lists(st.tuples(commands(ProjectCommand), ACTORS), max_size=12))
def test_what_is_deleted_stays_deleted(steps):
    (deleted,) = project.decide(PRIVATE, DeleteProject(project_id=PROJECT_ID), OWNER)
    assert run(project, steps, (created(), deleted)).collaborators == {}


@given(st.lists(st.tuples(commands(FileCommand), ACTORS), max_size=12))
def test_files(steps):
    run(file, steps, around=(PRIVATE,), retried=(WriteFile,))


@given(st.lists(st.tuples(commands(ReviewCommand), ACTORS), max_size=12))
def test_reviews(steps):
    state = run(review, steps, around=(PRIVATE,), retried=(CloseReview,))
    assert state.author_id not in state.decisions


@given(st.lists(st.tuples(commands(BuildCommand), ACTORS), max_size=12))
def test_builds(steps):
    run(build, steps, around=(PRIVATE,), retried=(MoveBuild,))


@given(st.lists(st.tuples(commands(SuggestionCommand), ACTORS), max_size=12))
def test_suggestions(steps):
    run(suggestion, steps, around=(PRIVATE,), retried=SuggestionCommand.__args__)

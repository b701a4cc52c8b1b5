"""Decide commands one after the other by the room that their owner has left."""

from collections.abc import Mapping

from msgspec import Struct

from commands.outcomes import Submission
from domain.errors import Refusal
from domain.quotas import NOTHING, Amounts, Payer, exceeded, passed
from read_api.gateway.quotas.growth import FileSizes, growth_of
from read_api.gateway.quotas.survey import Step, Survey


class Group(Struct, frozen=True):
    """The commands of a request that one account pays for, with their places in it."""

    payer: Payer
    places: list[int]
    submissions: list[Submission]


class Verdict(Struct, frozen=True):
    """The *refusals* by place, and the *growth* by all others; *short* if room was lacking for some."""

    refusals: Mapping[int, Refusal]
    growth: Amounts
    short: bool


def tally(group: Group, survey: Survey, used: Amounts) -> Verdict:
    """Decide the commands of *group*, whose owner uses as much as *used*.

    A command that shrinks what there is makes no room for those after it: the decider may still refuse it.
    """
    refusals: dict[int, Refusal] = {}
    before = {project_id: dict(sizes) for project_id, sizes in survey.before.items()}
    total, short = NOTHING, False
    for place, step in zip(group.places, survey.steps, strict=True):
        if isinstance(step, Refusal):
            refusals[place] = step
            continue
        growth = _growth(step, before)
        name = passed(used + total, growth, group.payer.quotas.most)
        if name is not None:
            refusals[place], short = exceeded(name, used + total, growth, group.payer), True
            continue
        total += growth.without_losses()
        _note_files(step, before)
    return Verdict(refusals, total, short)


def _growth(step: Step, before: Mapping[str, dict[str, int]]) -> Amounts:
    if isinstance(step, FileSizes):
        return growth_of(step, before[step.project_id])
    return step if isinstance(step, Amounts) else NOTHING


def _note_files(step: Step, before: Mapping[str, dict[str, int]]) -> None:
    """Let the next command find the files that *step* writes, each as large as it ever was."""
    if isinstance(step, FileSizes):
        sizes = before[step.project_id]
        for path, size in step.sizes.items():
            if size is not None:
                sizes[path] = max(size, sizes.get(path, 0))

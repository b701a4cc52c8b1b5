"""The private time of a project: what was written then, and who sees it later."""

from hypothesis import given
from hypothesis import strategies as st

from domain.project.events import Visibility
from domain.project.private_time import EVERYTHING, outside, spans_after

PUBLIC, PRIVATE = Visibility.PUBLIC, Visibility.PRIVATE


def spans(*steps):
    """Return the private spans after *steps*, at the sequences 1, 2 and so on."""
    result = []
    for sequence, (visibility, publish_history) in enumerate(steps, start=1):
        result = spans_after(result, visibility, sequence, publish_history=publish_history)
    return result


def test_a_span_lasts_from_the_event_that_made_the_project_private_to_the_one_that_published_it():
    assert spans((PRIVATE, False)) == [[1, None]]
    assert spans((PRIVATE, False), (PRIVATE, False), (PUBLIC, False), (PUBLIC, False)) == [[1, 3]]
    assert spans((PUBLIC, False), (PUBLIC, False)) == []


def test_each_private_time_of_a_project_is_a_span_of_its_own():
    steps = [(PRIVATE, False), (PUBLIC, False), (PRIVATE, False), (PUBLIC, False)]
    assert spans(*steps) == [[1, 2], [3, 4]]
    history = outside(spans(*steps))
    assert [sequence for sequence in range(1, 6) if history.includes(sequence)] == [2, 4, 5]


def test_who_publishes_the_history_opens_every_span():
    steps = [(PRIVATE, False), (PUBLIC, False), (PRIVATE, False), (PUBLIC, True)]
    assert spans(*steps) == []
    assert outside(spans(*steps)) is EVERYTHING
    assert spans((PRIVATE, False), (PUBLIC, False), (PUBLIC, True)) == []


@given(st.lists(st.sampled_from((PUBLIC, PRIVATE)), max_size=300))
def test_many_spans_hide_at_least_what_was_private_and_stay_few(visibilities):
    result = spans(*((visibility, False) for visibility in visibilities))
    assert len(result) <= 50
    history = outside(result)
    private = [at for at, visibility in enumerate(visibilities, start=1) if visibility is PRIVATE]
    assert not any(history.includes(sequence) for sequence in private)
    if visibilities and visibilities[-1] is PUBLIC:
        assert history.includes(len(visibilities))

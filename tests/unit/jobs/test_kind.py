"""Pauses, due times, and names of kinds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.preferences.events import MailTime
from jobs.job import JobState, QueueFigures
from jobs.kind import Kind, kinds_by_name, pause_before
from jobs.kinds.notification_mail import due_at

HOUR, DAY, MORNING = 3_600, 86_400, 8 * 3_600
SECONDS = st.floats(min_value=0, max_value=4e9)


@given(attempt=st.integers(2, 1_000), first=st.floats(0.001, 3_600), chance=st.floats(0, 1))
def test_a_pause_grows_with_each_attempt_and_ends_at_an_hour(attempt, first, chance):
    pause = pause_before(attempt, first, lambda: chance)
    whole = min(first * 2.0 ** min(attempt - 2, 32), 3_600.0)
    assert whole / 2 <= pause <= whole <= 3_600


def test_the_second_attempt_comes_after_the_first_pause():
    assert pause_before(2, 5.0, lambda: 1.0) == 5.0
    assert pause_before(4, 5.0, lambda: 1.0) == 20.0
    assert pause_before(4, 5.0, lambda: 0.0) == 10.0


@given(
    at=SECONDS,
    away=st.floats(0.5, 7_200),
    time=st.sampled_from([MailTime.NOW, MailTime.HOURLY, MailTime.DAILY]),
)
def test_nobody_gets_a_mail_before_they_had_time_to_read(at, away, time):
    longest = {MailTime.NOW: max(1, round(away)), MailTime.HOURLY: HOUR, MailTime.DAILY: DAY}[time]
    due = due_at(time, at, away)
    assert at + away <= due + 1e-3
    assert due <= at + away + longest + 1e-3


@given(at=SECONDS)
def test_an_hourly_mail_comes_with_the_hour_and_a_daily_one_in_the_morning(at):
    assert due_at(MailTime.HOURLY, at, 300) % HOUR == 0
    assert due_at(MailTime.DAILY, at, 300) % DAY == MORNING


def test_what_comes_together_has_one_mail():
    times = {due_at(MailTime.NOW, seconds, 300) for seconds in (1_000, 1_100, 1_199)}
    assert times == {1_500}
    assert due_at(MailTime.NOW, 1_201, 300) == 1_800


def test_two_kinds_with_one_name_are_a_mistake():
    async def work(job):
        """Do nothing."""

    with pytest.raises(TypeError, match="two kinds of jobs are called note"):
        kinds_by_name([Kind(name="note", work=work), Kind(name="note", work=work)])


def test_how_long_the_oldest_job_has_waited():
    counts = dict.fromkeys(JobState, 0)
    assert QueueFigures(counts=counts, oldest=None).waited(100.0) == 0.0
    assert QueueFigures(counts=counts, oldest=90_000).waited(100.0) == 10.0
    assert QueueFigures(counts=counts, oldest=190_000).waited(100.0) == 0.0

"""The counter of calls counts the project's own functions, in every thread."""

import asyncio
import threading

import pytest

from bench.calls import CallCounter, count_calls, summary

SOURCE = """
def helper():
    return sorted([3, 1, 2])

def work():
    return [helper() for _ in "ab"]

def steps():
    yield helper()
    yield helper()
"""


@pytest.fixture
def own(tmp_path):
    """A module in a folder of its own, whose calls are counted."""
    names = {"__name__": "own"}
    exec(compile(SOURCE, str(tmp_path / "own.py"), "exec"), names)  # noqa: S102 # the source is above
    return names


@pytest.fixture
def counter(tmp_path):
    counter = CallCounter((f"{tmp_path}/",))
    with counter.installed():
        yield counter


def names_of(codes):
    return sorted(code.co_name for code in codes if not code.co_name.startswith("<"))


def test_calls_of_other_folders_do_not_count(own, counter):
    with counter.counted() as codes:
        own["work"]()
        SOURCE.splitlines()
        names_of([])
    assert names_of(codes) == ["helper", "helper", "work"]


def test_nothing_counts_outside_of_the_block(own, counter):
    with counter.counted() as codes:
        own["helper"]()
    own["helper"]()
    assert names_of(codes) == ["helper"]


def test_a_generator_counts_each_time_it_resumes(own, counter):
    with counter.counted() as codes:
        list(own["steps"]())
    assert names_of(codes) == ["helper", "helper", "steps", "steps", "steps"]


def test_other_threads_count(own, counter):
    with counter.counted() as codes:
        thread = threading.Thread(target=own["helper"])
        thread.start()
        thread.join()
    assert names_of(codes) == ["helper"]


def test_a_summary_counts_calls_functions_and_modules(own, counter):
    with counter.counted() as codes:
        own["helper"]()
        own["helper"]()
        list(own["steps"]())
    assert summary(codes) == {"calls": 7, "functions": 2, "modules": 1}


@pytest.mark.integration
def test_requests_are_counted_over_the_embedded_profile(tmp_path):
    requests = asyncio.run(count_calls(tmp_path, repeats=3))
    assert requests["PUT a file"]["modules"] > requests["GET a file"]["modules"] > 10
    composed, again = requests["GET a project, composed after a change"], requests["GET a project, again"]
    assert composed["calls"] > again["calls"]
    assert requests["POST a project"]["calls"] > requests["POST a project"]["functions"] > 100

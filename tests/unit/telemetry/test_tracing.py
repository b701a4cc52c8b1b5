"""The interface of traces: null while they are off, and the contexts that it tells apart."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry import tracing
from telemetry.tracing import NONE, Kind
from tests.support.spans import OTHER, SAMPLED, UNSAMPLED, links, parent, recording

SERVER = """
import sys
import codepark.server, codepark.cli.serve, codepark.logs, streams.faust.driver
from codepark.traces import traced
with traced("codepark-server"):
    # The Redis client imports the library's metrics wherever they are installed.
    ours = ("telemetry.otlp", "opentelemetry.sdk.trace", "opentelemetry.exporter", "google.protobuf")
    print([name for name in sys.modules if name.startswith(ours)])
"""
ROOT = Path(__file__).parents[3]
IMPORTS = re.compile(r"^\s*(?:from|import) opentelemetry", re.MULTILINE)
PACKAGES = ("codepark", "read_api", "streams", "projections", "commands", "insights", "domain", "processes")


def test_while_traces_are_off_nothing_that_records_is_imported():
    started = subprocess.run(
        [sys.executable, "-c", SERVER], check=True, env={}, capture_output=True, text=True
    )
    assert started.stdout == "[]\n"


def test_one_module_imports_the_library():
    files = [file for package in (*PACKAGES, "telemetry") for file in (ROOT / package).rglob("*.py")]
    importing = [file.name for file in files if IMPORTS.search(file.read_text(encoding="utf-8"))]
    assert importing == ["otlp.py"]


def test_while_traces_are_off_there_is_no_span():
    assert not tracing.enabled()
    assert tracing.begin("a", Kind.SERVER, {"b": 1}, parent=SAMPLED, links=[OTHER]) is NONE
    assert tracing.follow([SAMPLED], "a", Kind.CONSUMER) is NONE
    with tracing.within(tracing.begin("a")) as span, tracing.part("b") as part:
        assert (span, part, tracing.current()) == (NONE, NONE, NONE)
        span.rename("c")
        span.annotate({"d": 1})
        span.fail("e")
        span.end()
    assert (span.recorded, span.traceparent) == (False, None)
    assert tracing.distinct([SAMPLED, OTHER]) == []
    assert tracing.add_ids(None, "info", {"event": "x"}) == {"event": "x"}


def test_lines_of_the_log_have_the_ids_of_the_present_span():
    with recording(), tracing.within(tracing.begin("a", parent=SAMPLED)) as span:
        line = tracing.add_ids(None, "info", {"event": "x"})
    assert line == {"event": "x", "trace_id": SAMPLED[3:35], "span_id": span.traceparent[36:52]}


def test_only_contexts_of_sampled_traces_count_and_each_once():
    with recording():
        given_ = [OTHER, None, UNSAMPLED, SAMPLED, OTHER, "00-nonsense-01"]
        assert tracing.distinct(given_) == [OTHER, SAMPLED]


@pytest.mark.parametrize(
    ("text", "sampled"),
    [
        (SAMPLED, True),
        (SAMPLED[:-2] + "03", True),
        (UNSAMPLED, False),
        (None, False),
        ("", False),
        ("1", False),
        ("ff" + SAMPLED[2:], False),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", False),
        (f"{SAMPLED}-01", False),
    ],
)
def test_a_context_is_sampled_by_the_last_bit_of_its_flags(text, sampled):
    assert tracing.sampled(text) is sampled


@given(st.text())
def test_no_text_breaks_the_question_whether_it_is_a_sampled_context(text):
    assert tracing.sampled(text) is (bool(tracing.TRACEPARENT.fullmatch(text)) and int(text[-1], 16) % 2 == 1)


def test_a_part_belongs_to_a_span_that_is_recorded_and_has_not_ended():
    with recording() as recorded:
        with tracing.part("outside"):
            pass
        with tracing.within(tracing.begin("not sampled", parent=UNSAMPLED)), tracing.part("also outside"):
            pass
        with tracing.within(tracing.begin("a")) as span:
            with tracing.part("inside"):
                pass
            span.end()
            with tracing.part("after its end"):
                pass
        assert recorded.names == ["inside", "a"]


def test_work_on_what_several_traces_caused_is_a_trace_that_links_them():
    with recording() as recorded:
        tracing.follow([SAMPLED], "child", Kind.CONSUMER).end()
        tracing.follow([SAMPLED, OTHER], "trace", Kind.CONSUMER).end()
        tracing.follow([], "nothing", Kind.CONSUMER).end()
        sibling = f"{SAMPLED[:36]}00000000000000aa-01"
        tracing.follow([SAMPLED, sibling], "of one trace", Kind.CONSUMER).end()
        child, trace, of_one = recorded.all
        assert (parent(of_one), links(of_one)) == (SAMPLED[36:52], {sibling[36:52]})
        assert f"{child.parent.span_id:016x}" == SAMPLED[36:52]
        assert trace.parent is None
        assert {f"{link.context.trace_id:032x}" for link in trace.links} == {SAMPLED[3:35], OTHER[3:35]}

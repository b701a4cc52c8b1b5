"""The spans of commands: of one request, of a batch of several, and which context their events carry."""

from msgspec.structs import replace

from commands.batcher import Batcher
from telemetry import tracing
from tests.support.spans import OTHER, SAMPLED, UNSAMPLED, links, parent, recording, traceparent


def submitted(commands, context):
    return replace(commands.submission("project.create", name="p"), traceparent=context)


def carried(commands):
    """Return the contexts that the records carry, in order."""
    return [record.traceparent for record in commands.log.read(0, 100)]


def test_a_command_of_one_request_is_decided_and_appended_in_its_trace(commands):
    with recording() as recorded:
        commands.outcomes(submitted(commands, SAMPLED))
        append = recorded.one("append")
        assert sorted(recorded.names) == ["append", "decide"]
    assert parent(recorded.one("decide")) == parent(append) == SAMPLED[36:52]
    assert (append.kind.name, append.attributes["codepark.commands"]) == ("PRODUCER", 1)
    assert carried(commands) == [traceparent(append)]


def test_a_request_whose_trace_is_not_sampled_adds_nothing_to_that_of_another(commands):
    with recording() as recorded:
        commands.outcomes(*(submitted(commands, context) for context in (SAMPLED, UNSAMPLED, None)))
        assert sorted(recorded.names) == ["append", "decide"]
        assert {span.attributes["codepark.commands"] for span in recorded.all} == {1}


def test_commands_of_several_requests_keep_their_traces_and_one_span_links_them(commands):
    with recording() as recorded:
        contexts = [SAMPLED, OTHER, SAMPLED, UNSAMPLED, None]
        commands.outcomes(*(submitted(commands, context) for context in contexts))
        appends = {parent(span): span for span in recorded.named("append")}
        batch = recorded.one("append batch")
        assert len(recorded.named("decide")) == 2
    first, second = appends[SAMPLED[36:52]], appends[OTHER[36:52]]
    assert (first.attributes["codepark.commands"], second.attributes["codepark.commands"]) == (2, 1)
    assert batch.parent is None
    assert links(batch) == {f"{span.context.span_id:016x}" for span in (first, second)}
    assert carried(commands) == [
        traceparent(first),
        traceparent(second),
        traceparent(first),
        UNSAMPLED,
        None,
    ]


def test_while_traces_are_off_events_carry_what_the_client_sent(commands):
    commands.outcomes(submitted(commands, SAMPLED), submitted(commands, UNSAMPLED))
    assert carried(commands) == [SAMPLED, UNSAMPLED]


def test_a_command_that_is_refused_appends_nothing(commands):
    with recording() as recorded:
        gone = commands.submission("project.update", target="nothing", name="p")
        commands.outcomes(replace(gone, traceparent=SAMPLED))
        assert recorded.names == ["decide"]


def test_an_append_that_fails_says_so_by_the_name_of_the_error(commands, monkeypatch):
    def fails(*_):
        raise OSError("/the/path/of/somebody")

    monkeypatch.setattr(commands.log, "append", fails)
    with recording() as recorded:
        commands.outcomes(submitted(commands, SAMPLED))
        append = recorded.one("append")
    assert append.attributes["error.type"] == "OSError"
    assert "somebody" not in str(append.to_json())


def test_a_command_without_a_span_takes_the_context_of_its_caller(commands):
    with recording(), tracing.within(tracing.begin("request")) as span:
        submission = commands.submission("project.create", name="p")
    assert submission.traceparent == span.traceparent
    assert commands.submission("project.create", name="p").traceparent is None


class Loop:
    """Notes in which contexts it is asked to call."""

    def __init__(self):
        self.contexts = []

    def call_soon(self, _, *, context):
        self.contexts.append(context)


def test_a_batch_is_not_decided_in_the_span_of_the_request_that_came_first():
    loop = Loop()
    with recording(), tracing.within(tracing.begin("request")):
        Batcher(lambda _: None).add(loop, "item")
    assert loop.contexts[0].run(tracing.current) is tracing.NONE

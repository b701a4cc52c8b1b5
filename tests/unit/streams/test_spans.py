"""The span of projecting: a child of one append, or linked to several; none of an erased person."""

from msgspec.structs import replace

from streams.spans import projecting
from tests.support.spans import OTHER, SAMPLED, UNSAMPLED, links, parent, recording


def records(commands, *contexts):
    """Return records that carry *contexts*."""
    for context in contexts:
        submission = commands.submission("project.create", name="p")
        commands.outcomes(replace(submission, traceparent=context))
    return commands.log.read(0, 100)


def projected(commands, batch):
    """Return the spans of projecting *batch*."""
    with recording() as recorded:
        with projecting(commands.log, batch, 3, "projects"):
            pass
        return recorded.all


def test_records_of_one_append_are_projected_as_its_child(commands):
    (span,) = projected(commands, records(commands, SAMPLED, SAMPLED, UNSAMPLED, None))
    assert (span.name, span.kind.name, parent(span)) == ("project", "CONSUMER", SAMPLED[36:52])
    assert dict(span.attributes) == {
        "messaging.operation.type": "process",
        "messaging.batch.message_count": 4,
        "codepark.partition": 3,
        "codepark.models": "projects",
    }


def test_records_of_several_appends_are_linked(commands):
    (span,) = projected(commands, records(commands, SAMPLED, OTHER))
    assert span.parent is None
    assert links(span) == {SAMPLED[36:52], OTHER[36:52]}


def test_records_of_no_trace_have_no_span(commands):
    assert projected(commands, records(commands, UNSAMPLED, None)) == ()
    assert projected(commands, ()) == ()


def test_the_trace_of_somebody_who_was_erased_is_not_continued(commands):
    batch = records(commands, SAMPLED)
    assert len(projected(commands, batch)) == 1
    commands.keys.destroy([batch[0].actor])
    assert projected(commands, batch) == ()

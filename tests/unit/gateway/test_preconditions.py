"""Conditional requests: what their headers mean, and which states meet them."""

import pytest

from commands.precondition import Precondition
from domain.errors import PreconditionFailedError, StaleVersionError
from read_api.gateway.preconditions import EntityTag, entity_tags, matches_current, not_modified, precondition
from read_api.problems import HttpError


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        (" * ", None),
        ('"3"', [EntityTag(weak=False, opaque="3")]),
        (' "3-0123456789abcdef" ', [EntityTag(weak=False, opaque="3-0123456789abcdef")]),
        (', "1",W/"2" ,, "a,b",', [EntityTag(False, "1"), EntityTag(True, "2"), EntityTag(False, "a,b")]),
        ('""', [EntityTag(weak=False, opaque="")]),
    ],
)
def test_a_header_lists_tags(header, tags):
    assert entity_tags(header, "If-Match") == tags


@pytest.mark.parametrize("header", ["", "3", '"1" "2"', '"1", *', 'w/"1"', '"a b"', '"1', "'1'", '"1",x'])
def test_other_headers_are_refused(header):
    with pytest.raises(HttpError) as refused:
        entity_tags(header, "If-Match")
    assert (refused.value.status, refused.value.faults[0].pointer) == (400, "/If-Match")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"if-match": "*"}, Precondition(exists=True)),
        ({"if-match": '"3-ab", "4"'}, Precondition(exists=True, versions=(3, 4))),
        ({"if-match": 'W/"3", "x"'}, Precondition(exists=True, versions=())),
        ({"if-match": f'"{"9" * 16}"'}, Precondition(exists=True, versions=())),
        ({"if-match": '"03", "+3", "\xb3"'}, Precondition(exists=True, versions=())),
        ({"if-none-match": "*"}, Precondition(exists=False)),
        ({"if-none-match": 'W/"3", "x"'}, Precondition(other_than=(3,))),
        (
            {"if-match": '"3"', "if-none-match": '"4"'},
            Precondition(exists=True, versions=(3,), other_than=(4,)),
        ),
    ],
)
def test_headers_become_a_precondition(headers, expected):
    assert precondition(headers, creates=False) == expected


def test_a_request_that_creates_depends_on_no_present_state():
    headers = {"if-match": '"3"', "if-none-match": "*"}
    assert precondition(headers, creates=True) == Precondition(versions=(3,))


@pytest.mark.parametrize(
    ("condition", "exists", "version", "holds"),
    [
        (Precondition(exists=True), True, 3, True),
        (Precondition(exists=True), False, 0, False),
        (Precondition(exists=False), False, 2, True),  # it was deleted
        (Precondition(exists=False), True, 2, False),
        (Precondition(exists=True, versions=(2,)), False, 2, False),
        (Precondition(exists=True, versions=(2, 3)), True, 3, True),
        (Precondition(exists=True, versions=(2, 3)), True, 4, False),
        (Precondition(exists=True, versions=()), True, 4, False),
        (Precondition(exists=True, versions=(3,)), True, 4, False),
        (Precondition(other_than=(3,)), True, 3, False),
        (Precondition(other_than=(3,)), True, 4, True),
        (Precondition(other_than=(3,)), False, 3, True),
    ],
)
def test_a_state_meets_a_precondition_or_not(condition, exists, version, holds):
    if holds:
        condition.check(exists=exists, version=version)
        return
    with pytest.raises((PreconditionFailedError, StaleVersionError)):
        condition.check(exists=exists, version=version)


def test_a_query_compares_versions_strongly_and_states_weakly():
    assert matches_current('"3"', '"3-0123"')
    assert not matches_current('W/"3"', '"3"')
    assert matches_current("*", None)
    assert not matches_current('"3"', None)
    assert not_modified('W/"3-0123"', '"3-0123"')
    assert not not_modified('"3"', '"3-0123"')
    assert not_modified("*", None)
    assert not not_modified(None, '"3"')

"""Places in a document, and what is refused before anybody looks for a similar name."""

import time

import pytest
from graphql import GraphQLError, GraphQLSyntaxError, Source, execute
from hypothesis import given
from hypothesis import strategies as st

from read_api.graphql.documents import Documents
from read_api.graphql.errors import error_document
from read_api.graphql.federation import schema
from read_api.graphql.limits import MAX_DIGITS, MAX_NAME, value_error
from read_api.graphql.sources import DocumentSource, parsed, places

SCHEMA = schema()
TEXTS = st.text("a \n\r\u2028é", max_size=30)


@given(TEXTS, st.integers(0, 30))
def test_a_place_is_that_of_graphql_core(text, position):
    assert DocumentSource(text).get_location(position) == Source(text).get_location(position)


def test_errors_tell_their_places_although_the_text_is_not_read_for_each():
    document = parsed("\r\n\n{ a\n  b }", 100)
    fields = document.definitions[0].selection_set.selections
    error = GraphQLError("both", list(fields))
    assert error_document(error, "r")["locations"] == [{"line": 3, "column": 3}, {"line": 4, "column": 3}]
    assert places(GraphQLError("none")) == []
    with pytest.raises(GraphQLSyntaxError) as caught:
        parsed("\n\n{", 100)
    assert places(caught.value) == [{"line": 3, "column": 2}]


def test_a_hundred_errors_in_a_text_of_many_lines_take_no_longer_than_in_one_of_few():
    def seconds(lines):
        fields = parsed("\n" * lines + "{ a b }", 100).definitions[0].selection_set.selections
        least = float("inf")
        for _ in range(10):
            start = time.thread_time()
            for _ in range(100):
                places(GraphQLError("wrong", list(fields)))
            least = min(least, time.thread_time() - start)
        return least

    assert seconds(60_000) < 5 * seconds(10) + 0.005


@pytest.mark.parametrize(
    "query",
    ["{ projects(limit: %s) { id } }", "query ($a: Int = %s) { projects(limit: $a) { id } }"],
)
def test_a_number_of_thousands_of_digits_is_refused_as_what_it_is(query):
    prepared = Documents(SCHEMA).prepare(query % ("1" * 5_000), {})
    assert [error.message for error in prepared.errors] == [f"write a number of at most {MAX_DIGITS} digits"]
    assert error_document(prepared.errors[0], "r")["extensions"]["code"] == "invalid_query"


@pytest.mark.parametrize("visibility", ["secret", "x" * 5_000_000])
def test_a_value_that_is_none_of_an_enum_is_refused_at_once(visibility):
    """Of one as long as the body, graphql-core would compare each character with those of the values."""
    document = parsed("mutation ($i: ProjectInput!) { createProject(input: $i) { version } }", 100)
    start = time.thread_time()
    result = execute(SCHEMA, document, variable_values={"i": {"name": "p", "visibility": visibility}})
    assert time.thread_time() - start < 0.2
    assert len(result.errors[0].message) < 1_000


def test_a_name_in_variables_that_no_field_has_is_refused_before_similar_ones_are_looked_for():
    assert value_error({"i": {"n" * MAX_NAME: 1}}) is None
    assert "no field has it" in value_error({"i": [{"n" * (MAX_NAME + 1): 1}]}).message

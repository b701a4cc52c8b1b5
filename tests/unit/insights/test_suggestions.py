import msgspec
import pytest

from insights.report import FileReport, FunctionReport
from insights.suggestions import SUGGESTIONS_PER_FILE, sentence, suggest


def function(name="parse", *, line=1, complexity=1, lines=1, parameters=0):
    return FunctionReport(name=name, line=line, complexity=complexity, lines=lines, parameters=parameters)


def report(*functions, lines=10):
    return FileReport(functions=functions, lines=lines, model="lizard-1")


def kinds(suggestions):
    return [suggestion.kind for suggestion in suggestions]


def test_at_the_limits_nothing_is_suggested():
    assert suggest("a.py", report(function(complexity=10, lines=60, parameters=7), lines=1000)) == ()


@pytest.mark.parametrize(
    ("measured", "text"),
    [
        ({"complexity": 17}, "Split `parse` in app/x.py: its cyclomatic complexity is 17, above 10."),
        ({"lines": 61}, "Shorten `parse` in app/x.py: it has 61 lines of code, above 60."),
        ({"parameters": 8}, "Group the parameters of `parse` in app/x.py: it takes 8 parameters, above 7."),
    ],
)
def test_each_excess_is_one_sentence(measured, text):
    (suggestion,) = suggest("app/x.py", report(function(line=4, **measured)))
    assert sentence(suggestion) == text
    assert (suggestion.line, suggestion.function, suggestion.model) == (4, "parse", "lizard-1")


def test_a_long_file_is_to_be_divided():
    (suggestion,) = suggest("a.py", report(function(), lines=1001))
    assert sentence(suggestion) == "Divide a.py: it has 1001 lines, above 1000."
    assert (suggestion.function, suggestion.line) == (None, 1)


def test_long_data_is_left_alone():
    assert suggest("a.sql", report(lines=100_000)) == ()


def test_the_worst_comes_first_relative_to_its_limit():
    suggestions = suggest("a.py", report(function(complexity=11, lines=600, parameters=21), lines=2000))
    assert kinds(suggestions) == ["length", "parameters", "size", "complexity"]


def test_equals_are_in_the_order_of_lines():
    suggestions = suggest(
        "a.py", report(function("b", line=9, complexity=12), function("a", line=3, complexity=12))
    )
    assert [suggestion.line for suggestion in suggestions] == [3, 9]


def test_only_the_worst_are_kept():
    suggestions = suggest("a.py", report(*(function(f"f{n}", line=n, complexity=n) for n in range(11, 60))))
    assert len(suggestions) == SUGGESTIONS_PER_FILE
    assert suggestions[0].function == "f59"


def test_the_id_stays_while_the_measures_change():
    (before,) = suggest("a.py", report(function(complexity=17)))
    (after,) = suggest("a.py", report(function(line=40, complexity=12)))
    assert before.id == after.id


def test_ids_differ_by_path_function_kind_and_occurrence():
    functions = (
        function("f", complexity=20),
        function("f", line=5, complexity=20),
        function("g", line=9, complexity=20, lines=90),
    )
    suggestions = [*suggest("a.py", report(*functions)), *suggest("b.py", report(*functions))]
    assert len({suggestion.id for suggestion in suggestions}) == len(suggestions) == 8


def test_a_suggestion_is_sent_in_camel_case():
    (suggestion,) = suggest("a.py", report(function(complexity=17)))
    sent = msgspec.json.decode(msgspec.json.encode(suggestion))
    assert sorted(sent) == ["file", "function", "id", "kind", "line", "model", "reason"]

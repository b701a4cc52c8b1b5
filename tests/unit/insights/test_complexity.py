from importlib.metadata import version

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.complexity import analyse
from insights.report import (
    ANALYSED_BYTES,
    MODEL,
    FileReport,
    FunctionReport,
    LeftOut,
    empty_report,
    line_count,
    too_large,
)

NESTED = """\
class Shelf:
    def outer(self, a: int = 3, *rest, **options):
        def inner(x):
            if x:
                return 1
            return 2
        if a and rest:
            return inner

    async def later(self): # one
        # two
        return None
"""


def names(report: FileReport) -> list[str]:
    return [function.name for function in report.functions]


def test_functions_are_listed_by_line_with_nested_ones_and_methods():
    assert names(analyse("shelf.py", NESTED)) == ["outer", "outer.inner", "later"]


def test_a_function_has_its_measures_without_the_receiver():
    outer, inner, later = analyse("shelf.py", NESTED).functions
    assert (outer.line, outer.complexity, outer.parameters) == (2, 3, 3)
    assert inner == FunctionReport(name="outer.inner", line=3, complexity=2, lines=4, parameters=1)
    assert (later.lines, later.parameters) == (2, 0)


def test_the_totals_are_sums():
    report = analyse("shelf.py", NESTED)
    assert (report.function_count, report.complexity_total, report.lines) == (3, 6, 12)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.js", "class A {\n  size(a, b) {\n    return a ? 1 : 2;\n  }\n}\n"),
        ("a.ts", "class A {\n  size(a: number, b: string): number {\n    return a ? 1 : 2;\n  }\n}\n"),
        ("a.go", "package a\n\nfunc size(a int, b string) int {\n\tif a > 1 { return 1 }\n\treturn 2\n}\n"),
        ("a.c", "int size(int a, char *b) {\n  return a ? 1 : 2;\n}\n"),
        ("a.rs", "fn size(a: i32, b: i32) -> i32 {\n  if a > 1 { return 1; }\n  2\n}\n"),
    ],
)
def test_other_languages_are_known_by_the_extension(path, content):
    (function,) = analyse(path, content).functions
    assert (function.name.rpartition("::")[2], function.complexity, function.parameters) == ("size", 2, 2)


@pytest.mark.parametrize("path", ["notes.txt", "Makefile", "", "py", "a.py/"])
def test_an_unknown_extension_gives_an_empty_report(path):
    assert analyse(path, NESTED) == FileReport(functions=(), lines=12, model=MODEL)


def test_the_extension_may_be_in_capitals():
    assert analyse("SHELF.PY", NESTED).function_count == 3


@pytest.mark.parametrize("content", ["def f(:\n  if (((", "def", "class", '"""', "(" * 5000, "\0\0"])
def test_a_syntax_error_is_no_exception(content):
    assert analyse("a.py", content).complexity_total <= 2


def test_an_empty_file_has_no_lines():
    assert analyse("a.py", "") == FileReport(functions=(), lines=0, model=MODEL)


def test_too_large_a_file_is_not_analysed():
    small = "def f():\n    pass\n"
    assert analyse("a.py", small + "#\n" * ((ANALYSED_BYTES - len(small)) // 2)).function_count == 1
    large = analyse("a.py", small + "#\n" * ((ANALYSED_BYTES - len(small)) // 2 + 1))
    assert (large.function_count, large.left_out) == (0, LeftOut.TOO_LARGE)


def test_size_is_counted_in_bytes():
    assert too_large("é" * (ANALYSED_BYTES // 2 + 1))
    assert not too_large("é" * (ANALYSED_BYTES // 2))


def test_a_name_has_a_bounded_length():
    (function,) = analyse("a.py", f"def {'f' * 5000}():\n    pass\n" + "\n" * 20).functions
    assert len(function.name) == 200


def test_the_model_names_the_library_and_its_version():
    assert empty_report("").model == f"lizard-{version('lizard')}"


@settings(deadline=None)  # a busy machine is no failure
@given(path=st.sampled_from(["a.py", "b/c.js"]), content=st.text(st.characters(exclude_categories=())))
def test_no_text_raises(path, content):
    assert analyse(path, content).lines == line_count(content)


@settings(deadline=None)  # a busy machine is no failure
@given(
    path=st.sampled_from(
        ["a.py", "a.js", "a.ts", "a.tsx", "a.rb", "a.go", "a.cpp", "a.vue", "a.st", "a.erl", "a.pl"]
    ),
    words=st.lists(
        st.sampled_from([*"(){}[]<>`\"'\\$#?:;,.=\n", "def", "if", "class", "f", "=>", "${", "end", "  "])
    ),
)
def test_no_scraps_of_code_raise(path, words):
    analyse(path, " ".join(words))

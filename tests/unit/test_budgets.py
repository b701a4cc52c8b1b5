"""The sizes that keep the code readable: of a file, of a function, and of a line."""

import ast
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "commands", "projections", "insights", "streams", "read_api", "codepark")
LONGEST_FILE = 400
MEDIAN_FILE = 100
LONGEST_BODY = 50


def sources():
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def lengths():
    counted = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    return {path.relative_to(ROOT).as_posix(): count for path, count in counted.items() if count}


def bodies(path):
    """Yield each function with the length of its body in lines, without the docstring."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            if body:
                yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_files_are_short():
    counts = lengths()
    assert {name: count for name, count in counts.items() if count > LONGEST_FILE} == {}
    assert median(counts.values()) <= MEDIAN_FILE


def test_function_bodies_are_short():
    long = {
        f"{path.relative_to(ROOT)}:{name}": count
        for path in sources()
        for name, count in bodies(path)
        if count > LONGEST_BODY
    }
    assert long == {}


def test_the_formatter_is_switched_off_nowhere():
    marks = ("# fmt: " + "skip", "# fmt: " + "off")
    programs = [
        path
        for folder in (*PACKAGES, "tests", "bench", "docs", "devservers")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert [
        str(path) for path in programs if any(mark in path.read_text(encoding="utf-8") for mark in marks)
    ] == []

"""Cyclomatic complexity, length and parameters of the functions of one file."""

from typing import Final, Protocol

import lizard

from insights.other_peoples_code import left_out_at_once, left_out_by_content
from insights.report import MODEL, FileReport, FunctionReport, LeftOut, empty_report, line_count

__all__ = ["FileReport", "FunctionReport", "analyse"]

_NAME_LENGTH: Final = 200
_RECEIVERS: Final = frozenset({"self", "cls"})


class _Measured(Protocol):
    """The fields of the library's functions that are read here; the library has no annotations."""

    name: str
    start_line: int
    cyclomatic_complexity: int
    nloc: int
    parameters: list[str]


def analyse(path: str, content: str) -> FileReport:
    """Measure the functions of a file; return an empty report where the language or the text cannot be read.

    The language is chosen by the path's extension. The time that a hostile text takes is not bounded here
    (some regular expressions of the library are quadratic): the child of `ProcessAnalyser` bounds it.
    """
    if (reason := left_out_at_once(path, content)) is not None:
        return empty_report(content, reason)
    if lizard.get_reader_for(path) is None:
        return empty_report(content)
    if (reason := left_out_by_content(path, content)) is not None:
        return empty_report(content, reason)
    try:
        # Lone surrogates cannot be stored or sent, and a name could carry them.
        text = content.encode("utf-8", "replace").decode()
        measured = lizard.analyze_file.analyze_source_code(path, text).function_list
    except Exception:  # noqa: BLE001 # a parser of thirty languages fails in more ways than it documents
        return empty_report(content, LeftOut.FAILED)
    functions = sorted(map(_report, measured), key=lambda function: (function.line, function.name))
    return FileReport(functions=tuple(functions), lines=line_count(content), model=MODEL)


def _report(measured: _Measured) -> FunctionReport:
    parameters = measured.parameters
    return FunctionReport(
        name=_shortened(measured.name),
        line=measured.start_line,
        complexity=measured.cyclomatic_complexity,
        lines=measured.nloc,
        # Callers do not pass the receiver.
        parameters=len(parameters) - (bool(parameters) and parameters[0] in _RECEIVERS),
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"

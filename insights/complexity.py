"""Cyclomatic complexity, length and parameters of the functions of one file."""

from typing import Final, Protocol

import lizard

from insights.report import MODEL, FileReport, FunctionReport, empty_report, line_count, too_large

__all__ = ["FileReport", "FunctionReport", "analyse"]

_NAME_LENGTH: Final = 200
_RECEIVERS: Final = frozenset({"self", "cls"})


class _Measured(Protocol):
    """Name what is read of the library's function, which has no annotations of its own."""

    name: str
    start_line: int
    cyclomatic_complexity: int
    nloc: int
    parameters: list[str]


def analyse(path: str, content: str) -> FileReport:
    """Measure the functions of a file; return an empty report where the language is unknown or not readable.

    The language is chosen by the path's extension. The time that a hostile text takes is not bounded here
    (some regular expressions of the library are quadratic): `ProcessAnalyser` bounds it with a deadline.
    """
    if too_large(content) or lizard.get_reader_for(path) is None:
        return empty_report(content)
    try:
        # Lone surrogates cannot be stored or sent, and a name could carry them.
        text = content.encode("utf-8", "replace").decode()
        found = lizard.analyze_file.analyze_source_code(path, text).function_list
    except Exception:  # noqa: BLE001 # a parser of thirty languages fails in more ways than it documents
        return empty_report(content)
    functions = sorted(map(_function, found), key=lambda function: (function.line, function.name))
    return FileReport(functions=tuple(functions), lines=line_count(content), model=MODEL)


def _function(found: _Measured) -> FunctionReport:
    parameters = found.parameters
    return FunctionReport(
        name=_shortened(found.name),
        line=found.start_line,
        complexity=found.cyclomatic_complexity,
        lines=found.nloc,
        # Callers do not pass the receiver.
        parameters=len(parameters) - (bool(parameters) and parameters[0] in _RECEIVERS),
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"

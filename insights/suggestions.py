"""What to change in a file, from its measures."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal
from uuid import UUID, uuid5

from msgspec import Struct

from insights.report import FileReport, FunctionReport

COMPLEXITY_LIMIT: Final = 10
"""The most independent paths a function should have: T. J. McCabe, "A Complexity Measure", 1976."""

LENGTH_LIMIT: Final = 60
"""The most lines a function should have, one page: G. J. Holzmann, "The Power of Ten", rule 4, 2006."""

PARAMETER_LIMIT: Final = 7
"""The most parameters a function should take: S. McConnell, "Code Complete", 2nd edition, 7.5, 2004."""

SIZE_LIMIT: Final = 1_000
"""The most lines a file should have: the default of Pylint's check C0302 (too-many-lines)."""

SUGGESTIONS_PER_FILE: Final = 20
"""More would not be read; the worst come first."""

Kind = Literal["complexity", "length", "parameters", "size"]

_NAMESPACE: Final = UUID("c0de9a2c-5f0b-5d57-9d35-9d7f6c1f4a11")
_VERBS: Final[dict[Kind, str]] = {
    "complexity": "Split",
    "length": "Shorten",
    "parameters": "Group the parameters of",
    "size": "Divide",
}


class Suggestion(Struct, frozen=True, kw_only=True, rename="camel"):
    """One proposed change; it has the same *id* in every version of the file."""

    id: str
    file: str
    function: str | None
    line: int
    kind: Kind
    reason: str
    model: str


def suggest(path: str, report: FileReport) -> tuple[Suggestion, ...]:
    """Return the changes that the measures of a file call for, the worst `SUGGESTIONS_PER_FILE` of them."""
    ranked = sorted(_findings(path, report), key=lambda finding: (-finding[0], finding[1].line))
    return tuple(suggestion for _, suggestion in ranked[:SUGGESTIONS_PER_FILE])


def sentence(suggestion: Suggestion) -> str:
    """Return the suggestion as one sentence for people."""
    verb = _VERBS[suggestion.kind]
    if suggestion.function is None:
        return f"{verb} {suggestion.file}: {suggestion.reason}."
    return f"{verb} `{suggestion.function}` in {suggestion.file}: {suggestion.reason}."


def _findings(path: str, report: FileReport) -> Iterator[tuple[float, Suggestion]]:
    seen: Counter[str] = Counter()
    for function in report.functions:
        seen[function.name] += 1
        for kind, value, limit, reason in _excesses(function):
            # Methods of two classes may share a name: the n-th of them keeps its own id.
            key = f"{path}\0{function.name}\0{kind}\0{seen[function.name]}"
            yield (
                value / limit,
                Suggestion(
                    id=str(uuid5(_NAMESPACE, key)),
                    file=path,
                    function=function.name,
                    line=function.line,
                    kind=kind,
                    reason=reason,
                    model=report.model,
                ),
            )
    # Without functions it may be data, which nobody should divide.
    if report.functions and report.lines > SIZE_LIMIT:
        yield report.lines / SIZE_LIMIT, _size(path, report)


def _excesses(function: FunctionReport) -> Iterator[tuple[Kind, int, int, str]]:
    if (complexity := function.complexity) > COMPLEXITY_LIMIT:
        reason = f"its cyclomatic complexity is {complexity}, above {COMPLEXITY_LIMIT}"
        yield "complexity", complexity, COMPLEXITY_LIMIT, reason
    if (lines := function.lines) > LENGTH_LIMIT:
        yield "length", lines, LENGTH_LIMIT, f"it has {lines} lines of code, above {LENGTH_LIMIT}"
    if (parameters := function.parameters) > PARAMETER_LIMIT:
        yield (
            "parameters",
            parameters,
            PARAMETER_LIMIT,
            f"it takes {parameters} parameters, above {PARAMETER_LIMIT}",
        )


def _size(path: str, report: FileReport) -> Suggestion:
    return Suggestion(
        id=str(uuid5(_NAMESPACE, f"{path}\0\0size\0001")),
        file=path,
        function=None,
        line=1,
        kind="size",
        reason=f"it has {report.lines} lines, above {SIZE_LIMIT}",
        model=report.model,
    )

"""The commands of the command line with their options, read from the parsers themselves."""

import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from cyclopts import App

from codepark.cli.main import app
from insights.analyser import ProcessAnalyser
from projections.insights_model import insights_model
from projections.models import READ_MODELS


def commands_table() -> str:
    """List every command with what it does, and the options of each."""
    parts = ["| command | |", "|---|---|"]
    parts += [f"| `{_usage(path, command)}` | {_one_line(command.help)} |" for path, command in _commands()]
    return "\n".join(parts)


def options_table() -> str:
    """List every argument and option, by command."""
    parts = []
    for path, command in _commands():
        rows = [
            f"| `{_name(argument)}` | {_type_of(argument)} | {_one_line(argument.parameter.help)} |"
            for argument in _arguments(command)
        ]
        if rows:
            parts.append(f"### `codepark {path}`\n\n| | takes | |\n|---|---|---|\n" + "\n".join(rows))
    return "\n\n".join(parts)


def with_data() -> str:
    """Name the commands that take `--data`."""
    names = [
        path for path, command in _commands() if any(_name(each) == "--data" for each in _arguments(command))
    ]
    return ", ".join(f"`{name}`" for name in names)


def data_sentence() -> str:
    """Say which commands take the data folder."""
    return (
        "These commands take `--data DIR`, the data folder (by default `CODEPARK_DATA`, else\n"
        f"`./codepark-data`): {with_data()}.\n"
        "The others take their servers from the [configuration](configuration.md)."
    )


def read_model_names() -> str:
    """Name every read model."""
    names = [*(model.name for model in READ_MODELS), insights_model(ProcessAnalyser()).name]
    return f"The names are {', '.join(f'`{name}`' for name in names)}; a wrong name lists them:"


def _commands() -> Iterator[tuple[str, App]]:
    yield from _below(app, ())


def _below(group: App, path: tuple[str, ...]) -> Iterator[tuple[str, App]]:
    for name in group:
        if name in ("--help", "-h", "--version"):
            continue
        command = group[name]
        if command.default_command is None:
            yield from _below(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def _arguments(command: App) -> list[Any]:
    return [each for each in command.assemble_argument_collection(parse_docstring=True) if each.show]


def _name(argument: Any) -> str:
    """Return how the argument is named: an argument by its place in capitals, an option by its first name."""
    return str(argument.names[0]) if _is_option(argument) else argument.names[0].strip("-").upper()


def _is_option(argument: Any) -> bool:
    kind: Any = argument.field_info.kind
    return kind is inspect.Parameter.KEYWORD_ONLY


def _usage(path: str, command: App) -> str:
    words = []
    for argument in _arguments(command):
        text = _name(argument)
        if _is_option(argument) and not argument.is_flag():
            text = f"{text} {text.strip('-').upper().rpartition('-')[2]}"
        words.append(text if argument.required else f"[{text}]")
    return " ".join([path, *words])


def _type_of(argument: Any) -> str:
    """Return what a person gives: one of some words, a number, a path, a text, or nothing for a switch."""
    if argument.is_flag():
        return ""
    choices = _choices(argument.hint)
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    for kind, text in (("int", "a number"), ("Path", "a path")):
        if kind in str(argument.hint):
            return text
    return "a text"


def _choices(hint: Any) -> list[str]:
    if get_origin(hint) is Literal:
        return [str(choice) for choice in get_args(hint)]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return [str(choice.value) for choice in hint]
    return [choice for part in get_args(hint) for choice in _choices(part)]


def _one_line(text: str | None) -> str:
    """Return the first paragraph as one line of a table."""
    return " ".join((text or "").partition("\n\n")[0].split()).replace("|", "\\|")

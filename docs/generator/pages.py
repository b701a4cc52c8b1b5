"""The generated pages, and the generated sections of pages that are written by hand."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from graphql import print_schema

from commands.mapper import personal_fields
from commands.table.registry import CLIENT_COMMANDS
from docs.generator import command_line, texts
from docs.generator.tables import camel, description, field_table, fields_of, public_field_table
from domain.event import Event
from domain.policy import POLICY
from domain.registry import EVENTS
from read_api.app import operations
from read_api.graphql.federation import schema as served_schema
from streams.public.publications import PUBLISHED, Publication, why_withheld
from streams.public.schemas import schema as public_schema
from streams.public.schemas import schema_file
from telemetry.instruments import INSTRUMENTS

_CONSUMER = Path(__file__).parents[1] / "examples" / "consume_public.py"
_PARAMETER = re.compile(r"\{(\w+):\w+\}")


def _page(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"


def commands_page() -> str:
    """Describe every command type with the fields of its data."""
    parts = ["# Commands", texts.NOTE, texts.COMMANDS]
    for name, row in CLIENT_COMMANDS.items():
        schemas, fields = fields_of(row.input)
        target = "`target`: the project." if row.targeted else "No `target`."
        parts += [f"## `{name}`", f"{description(row.input)} {target}", field_table(fields, schemas)]
    return _page(*parts)


def events_page() -> str:
    """Describe every event with the fields of its data."""
    parts = ["# Events", texts.NOTE, texts.EVENTS]
    for cls in sorted(EVENTS, key=lambda cls: cls.TOPIC):
        parts += _event(cls)
    return _page(*parts)


def _event(cls: type[Event]) -> list[str]:
    schemas, fields = fields_of(cls)
    subject = f" Personal data of the person in `{camel(cls.SUBJECT)}`." if cls.SUBJECT else ""
    schema = json.dumps(_whole_schema(cls, schemas), indent=2)
    return [
        f"## `{cls.TOPIC}`, version {cls.VERSION}",
        f"{description(cls)}{subject}",
        field_table(fields, schemas, personal=personal_fields(cls) if cls.SUBJECT else None),
        f"<details><summary>JSON Schema</summary>\n\n```json\n{schema}\n```\n\n</details>",
    ]


def _whole_schema(cls: type[Event], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of *cls* with those that it refers to."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schemas[cls.__name__]}
    others = {name: value for name, value in schemas.items() if name != cls.__name__}
    return {**schema, "$defs": others} if others else schema


def paths_table() -> str:
    """List every path with its methods."""
    rows = ["| method | path | | success | body |", "|---|---|---|---|---|"]
    for operation in operations():
        if operation.hidden:
            continue
        statuses = ", ".join(str(status) for status in (operation.status, *operation.also))
        body = "" if operation.input is None else ("merge patch" if operation.patch else "JSON")
        path = _PARAMETER.sub(r"{\1}", operation.path)
        rows.append(f"| {operation.method} | `{path}` | {operation.summary} | {statuses} | {body} |")
    return "\n".join(rows)


def policy_table() -> str:
    """List the rule of every action."""
    rows = ["| action | roles | in the project | scope of a token |", "|---|---|---|---|"]
    for action, rule in sorted(POLICY.items()):
        roles = "anybody" if rule.roles is None else ", ".join(sorted(rule.roles))
        project = "" if rule.project is None else rule.project.name.lower()
        rows.append(f"| `{action}` | {roles} | {project} | {rule.scope} |")
    return "\n".join(rows)


def public_events_page() -> str:
    """Describe what is published of each event, topic by topic, and what is withheld."""
    parts = ["# Public events", texts.NOTE, texts.PUBLIC_EVENTS]
    parts += ["## Messages", texts.MESSAGES, "## Pseudonyms", texts.PSEUDONYMS, "## Versions", texts.VERSIONS]
    for topic in dict.fromkeys(publication.topic for publication in PUBLISHED):
        parts.append(f"## `{topic}`")
        for publication in PUBLISHED:
            if publication.topic == topic:
                parts += _publication(publication)
    rows = [f"| `{name}` | {reason} |" for name, reason in _withheld()]
    return _page(*parts, "## Not published", "\n".join(["| event | because it |", "|---|---|", *rows]))


def _withheld() -> Iterator[tuple[str, str]]:
    """Yield the events that are not published and the reasons; `x.*` stands for all events of a kind."""
    kinds: dict[str, dict[str, str | None]] = {}
    for cls in EVENTS:
        kinds.setdefault(cls.TOPIC.partition(".")[0], {})[cls.TOPIC] = why_withheld(cls.TOPIC)
    for kind, reasons in kinds.items():
        first = next(iter(reasons.values()))
        if first is not None and len(reasons) > 1 and set(reasons.values()) == {first}:
            yield f"{kind}.*", first
        else:
            yield from ((topic, reason) for topic, reason in reasons.items() if reason is not None)


def _publication(publication: Publication[Any]) -> list[str]:
    schemas, fields = fields_of(publication.shape)
    link = f"[JSON Schema](events/{schema_file(publication)})"
    return [
        f"### `{publication.type}`, version {publication.version}",
        f"{public_schema(publication)['description']} {link}.",
        public_field_table(fields, schemas),
    ]


def consumer_program() -> str:
    """Show the program that reads the public topics."""
    return f"```python\n{_CONSUMER.read_text(encoding='utf-8').rstrip()}\n```"


def graphql_schema() -> str:
    """Return the schema of `/graphql`, with the note as a comment."""
    return f"# {texts.NOTE}\n\n{print_schema(served_schema())}\n"


def instruments_table() -> str:
    """List the metrics that the parts of a process measure."""
    rows = ["| metric | type | |", "|---|---|---|"]
    for each in INSTRUMENTS:
        (described,) = each.describe()
        labels = ",".join(each._labelnames)  # noqa: SLF001 # nothing else of it tells them
        suffix = "_total" if described.type == "counter" else ""
        name = f"`{described.name}{suffix}{f'{{{labels}}}' if labels else ''}`"
        rows.append(f"| {name} | {described.type} | {described.documentation}. |")
    return "\n".join(rows)


SECTIONS: dict[str, dict[str, Callable[[], str]]] = {
    "reference/cli.md": {
        "commands": command_line.commands_table,
        "data": command_line.data_sentence,
        "options": command_line.options_table,
    },
    "how-to/rebuild-a-read-model.md": {"names": command_line.read_model_names},
    "reference/http.md": {"paths": paths_table},
    "reference/metrics.md": {"instruments": instruments_table},
    "reference/security.md": {"policy": policy_table},
    "how-to/consume-public-topics.md": {"program": consumer_program},
}
"""The generated sections of pages that are written by hand, by page and name."""

"""Write the generated parts of the reference: `python docs/generate.py`; with `--check`, tell which are out of step."""  # noqa: INP001 # a program

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from commands.chain import CHAIN_SIZE, chain_after, chain_bytes, first_chain, headers, source_of
from commands.intake.builders import COMMAND_TYPES
from commands.mapper import personal_fields
from domain.catalogue import EVENTS
from domain.event import Event
from domain.record import Record
from read_api.app import operations

REFERENCE = Path(__file__).parent / "reference"
_BEGIN, _END = "<!-- generated: {} -->", "<!-- end of what is generated -->"
_REF = "#/$defs/{name}"
_NOTE = "Written by `docs/generate.py`; do not edit."
_COMMANDS = (
    "These are the types that `POST /api/v1/commands` takes. The REST paths build the same commands. A command is "
    "`{id?, type, target?, data, expectedVersion?}`. `target` is the id of a project. An unknown field is refused."
)
_EVENTS = (
    "Each event has a stored name and a version of its shape. Fields that are marked personal are encrypted in the "
    "log with the key of the person whom the subject field names: there the event's JSON holds the public fields "
    "and, under `personal`, the encrypted ones in base64. Readers of the API see them in clear, and "
    '`"[erased]"` where the key is destroyed. `passwordHash` is never shown.'
)
_SCHEMAS = "The JSON Schemas describe the data as readers see it, at its latest version."
_PARAMETER = re.compile(r"\{(\w+):\w+\}")


def commands_page() -> str:
    """Describe every command type with the fields of its data."""
    parts = ["# Commands", _NOTE, _COMMANDS]
    for name, kind in COMMAND_TYPES.items():
        defs, fields = _fields(kind.input)
        target = "`target`: the project." if kind.targeted else "No `target`."
        parts += [f"## `{name}`", f"{_doc(kind.input)} {target}", _field_table(fields, defs)]
    return "\n\n".join(parts) + "\n"


def events_page() -> str:
    """Describe every event with the fields of its data."""
    parts = ["# Events", _NOTE, _EVENTS, _SCHEMAS]
    for cls in sorted(EVENTS, key=lambda cls: cls.TOPIC):
        parts += _event(cls)
    return "\n\n".join(parts) + "\n"


def _event(cls: type[Event]) -> list[str]:
    defs, fields = _fields(cls)
    personal = personal_fields(cls)
    subject = f" Personal data of the person in `{_camel(cls.SUBJECT)}`." if cls.SUBJECT else ""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **defs[cls.__name__]}
    others = {name: value for name, value in defs.items() if name != cls.__name__}
    if others:
        schema["$defs"] = others
    return [
        f"## `{cls.TOPIC}`, version {cls.VERSION}",
        f"{_doc(cls)}{subject}",
        _field_table(fields, defs, personal=personal if cls.SUBJECT else None),
        f"<details><summary>JSON Schema</summary>\n\n```json\n{json.dumps(schema, indent=2)}\n```\n\n</details>",
    ]


def paths_table() -> str:
    """List every path with its methods."""
    rows = ["| method | path | | success | body |", "|---|---|---|---|---|"]
    for found in operations():
        if found.hidden:
            continue
        statuses = ", ".join(str(status) for status in (found.status, *found.also))
        body = "" if found.input is None else ("merge patch" if found.patch else "JSON")
        path = _PARAMETER.sub(r"{\1}", found.path)
        rows.append(f"| {found.method} | `{path}` | {found.summary} | {statuses} | {body} |")
    return "\n".join(rows)


def chain_vectors() -> str:
    """Write records, the bytes that their chain covers, and the chain, for those who check it elsewhere."""
    log_id, chain, records = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", b"", []
    chain = first_chain(log_id, 0, 1)
    for record in _records(source_of(log_id)):
        covered, chain = chain_bytes(record), chain_after(chain, record)
        records.append(
            {
                "key": record.home,
                "value": record.data.decode(),
                "headers": {name: value.decode() for name, value in headers(record)},
                "covered": covered.hex(),
                "chain": chain.hex(),
            }
        )
    document = {
        "logId": log_id,
        "partition": 0,
        "partitions": 1,
        "chainSize": CHAIN_SIZE,
        "first": first_chain(log_id, 0, 1).hex(),
        "records": records,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _records(source: str) -> Iterator[Record]:
    """Yield a short history: with and without the optional headers, and text beyond ASCII."""
    project, command = "0190a1b2-0000-7000-8000-000000000001", "0190a1b2-0000-7000-8000-00000000000{}"
    texts = (
        ("project.created", "project-" + project, 1, '{"name":"Café 公園"}', "f" * 32, None),
        ("file.written", "file-" + project, 1, '{"path":"a.py","content":"print(1)\\n"}', None, "c/1"),
        ("file.deleted", "file-" + project, 2, '{"path":"a.py"}', None, None),
    )
    for number, (topic, stream, version, data, fingerprint, causation) in enumerate(texts, 1):
        yield Record(
            source=source, home=project, stream=stream, version=version, topic=topic, schema=1,
            data=data.encode(), sequence=number, at=number - 1, command=command.format(number),
            commit_index=1, commit_count=1, occurred_at=1_700_000_000_000 + number, actor="service:cli",
            correlation=f"request-{number}", causation=causation, fingerprint=fingerprint,
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" if number == 1 else None,
        )  # fmt: skip


def _fields(kind: type) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any], bool]]]:
    """Return the schemas of *kind* and of what it refers to, and its fields: name, schema, whether required."""
    _, defs = msgspec.json.schema_components([kind], ref_template=_REF)
    own = defs[kind.__name__]
    required = own.get("required", [])
    return defs, [(name, schema, name in required) for name, schema in own["properties"].items()]


def _field_table(
    fields: Iterable[tuple[str, dict[str, Any], bool]],
    defs: dict[str, Any],
    personal: Iterable[str] | None = None,
) -> str:
    rows = list(fields)
    if not rows:
        return "No fields."
    last = "required" if personal is None else "personal"
    lines = [f"| field | type | {last} |", "|---|---|---|"]
    for name, schema, required in rows:
        marked = required if personal is None else name in personal
        lines.append(f"| `{name}` | {_type(schema, defs)} | {'yes' if marked else ''} |")
    return "\n".join(lines)


def _type(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    if "$ref" in schema:
        found = defs[schema["$ref"].rpartition("/")[2]]
        if "enum" not in found:
            return "object: " + ", ".join(f"`{name}`" for name in found["properties"])
        return " \\| ".join(f"`{json.dumps(value)}`" for value in found["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(option, defs) for option in schema["anyOf"])
    if schema.get("type") == "array":
        most = f", at most {schema['maxItems']:,}" if "maxItems" in schema else ""
        return f"list{most} of {_type(schema['items'], defs)}"
    return str(schema["type"]) + _limits(schema)


def _limits(schema: dict[str, Any]) -> str:
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    parts = [f"{low:,} to {high:,} characters"] if high is not None else []
    if "minimum" in schema:
        parts.append(f"{schema['minimum']:,} to {schema['maximum']:,}")
    if high is None and "pattern" in schema:
        parts.append("`" + schema["pattern"].replace("|", "\\|") + "`")
    return f" ({', '.join(parts)})" if parts else ""


def _doc(kind: type) -> str:
    return re.sub(r"\*(\w+)\*", r"`\1`", " ".join((inspect.getdoc(kind) or "").split()))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


FILES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "events.md": events_page,
    "chain-vectors.json": chain_vectors,
}
SECTIONS: dict[str, dict[str, Callable[[], str]]] = {
    "http.md": {"paths": paths_table},
}


def generated() -> dict[Path, str]:
    """Return every generated file with the text that it should have."""
    texts = {REFERENCE / name: write() for name, write in FILES.items()}
    for name, sections in SECTIONS.items():
        path = REFERENCE / name
        text = path.read_text(encoding="utf-8")
        for section, write in sections.items():
            text = _replaced(text, section, write())
        texts[path] = text
    return texts


def _replaced(text: str, section: str, body: str) -> str:
    begin = _BEGIN.format(section)
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(_END)
    if not found or not ended:
        raise ValueError(f"the section {section} has no place")
    return f"{before}{begin}\n\n{body}\n\n{_END}{after}"


def stale() -> list[Path]:
    """Return the files that are out of step with the code."""
    return [
        path
        for path, text in generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main() -> None:
    """Write the files, or check them."""
    if "--check" in sys.argv[1:]:
        sys.exit("\n".join(f"out of step: {path.name}" for path in stale()) or 0)
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Write the generated parts of the reference: `python docs/generate.py`; with `--check`, tell which are out of step."""  # noqa: INP001 # a program

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from graphql import build_schema, find_breaking_changes, print_schema

from commands.chain import CHAIN_SIZE, chain_after, chain_bytes, first_chain, headers, source_of
from commands.mapper import personal_fields
from commands.table.registry import CLIENT_COMMANDS
from domain.event import Event
from domain.policy import POLICY
from domain.record import Record
from domain.registry import EVENTS
from read_api.app import operations
from read_api.graphql.federation import schema as served_schema
from streams.public import fields as public_fields
from streams.public.compatibility import same_contract
from streams.public.publications import PUBLISHED, Publication, why_withheld
from streams.public.schemas import schema as public_schema
from streams.public.schemas import schema_file
from streams.public.schemas import schemas as public_schemas

DOCS = Path(__file__).parent
REFERENCE = DOCS / "reference"
PUBLIC_SCHEMAS = REFERENCE / "events"
CONSUMER = DOCS / "examples" / "consume_public.py"
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
    '`"[erased]"` where the key is destroyed. Secret fields are never shown: they read as erased to everybody.'
)
_SCHEMAS = "The JSON Schemas describe the data as readers see it, at its latest version."
_PUBLIC = (
    "Programs that analyse read these events from Kafka, in the cluster profile: [how to](../how-to/consume-public-topics.md). "
    "They have no personal data and no words that people wrote: names, titles, paths, messages and contents become "
    "counts and pseudonyms, for private and public projects alike. The topics have the installation's prefix before "
    "them, `codepark.` where nothing else is set."
)
_NAMES = (
    "A *pseudonym* is 32 hexadecimal digits: a hash under a key of the installation. The same thing always has the "
    "same one, and who does not have the key can neither look it up nor compute it. Persons, files, commits and "
    "suggestions have pseudonyms; a person's is the same in every topic, but for the authors of commits, who have one "
    "for each project and account that records them. Nothing is computed from personal data, so the erasure of a person changes nothing here. The "
    "ids of projects, reviews, comments, builds and announcements are those of the API."
)
_HEADERS = (
    "Each message is a CloudEvent 1.0 in the binary mode of the Kafka binding. Its key is the home key: the project's "
    "id, `accounts` for accounts, the announcement's id.\n\n"
    "| header | value |\n|---|---|\n"
    "| `ce_specversion` | `1.0` |\n"
    "| `ce_id` | the log's partition, `-`, the event's number in it |\n"
    "| `ce_source` | `urn:codepark:log:` and the log's id |\n"
    "| `ce_type` | the event's type, as below |\n"
    "| `ce_subject` | what the event is about: its kind, `-`, its id or pseudonym |\n"
    "| `ce_time` | when it happened, RFC 3339 in UTC with milliseconds |\n"
    "| `ce_dataschema` | the `$id` of the JSON Schema of the value |\n"
    "| `ce_sequence` | the event's number in its partition of the log, decimal: compare it as a number |\n"
    "| `ce_partition` | the partition of the log that holds the event |\n"
    "| `ce_actor` | who caused it: a pseudonym, or `service` for a program; absent for nobody |\n"
    "| `content-type` | `application/json` |\n\n"
    "A topic is *at least once*. For each partition of a topic and each `ce_partition`, drop an event whose "
    "`ce_sequence` is not above the last that you saw. Sequences have gaps: other events lie between, in other topics."
)
_VERSIONS = (
    "A published schema does not change. A new version of it may follow in the same topic only if readers of any "
    "version can read messages of any other (FULL_TRANSITIVE): it may add fields that are not required, and nothing "
    "else, so pass over fields that you do not know. Everything else goes to a new topic, `….v2`, and the old one stays."
)
_PARAMETER = re.compile(r"\{(\w+):\w+\}")


def commands_page() -> str:
    """Describe every command type with the fields of its data."""
    parts = ["# Commands", _NOTE, _COMMANDS]
    for name, row in CLIENT_COMMANDS.items():
        defs, fields = _fields(row.input)
        target = "`target`: the project." if row.targeted else "No `target`."
        parts += [f"## `{name}`", f"{_doc(row.input)} {target}", _field_table(fields, defs)]
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


def policy_table() -> str:
    """List every action with who may do it."""
    rows = ["| action | roles | in the project | scope of a token |", "|---|---|---|---|"]
    for action, rule in sorted(POLICY.items()):
        roles = "anybody" if rule.roles is None else ", ".join(sorted(rule.roles))
        project = "" if rule.project is None else rule.project.name.lower()
        rows.append(f"| `{action}` | {roles} | {project} | {rule.scope} |")
    return "\n".join(rows)


def public_events_page() -> str:
    """Describe what is published of each event, topic by topic, and what is withheld."""
    parts = ["# Public events", _NOTE, _PUBLIC, "## Messages", _HEADERS, "## Pseudonyms", _NAMES]
    parts += ["## Versions", _VERSIONS]
    for topic in dict.fromkeys(publication.topic for publication in PUBLISHED):
        parts.append(f"## `{topic}`")
        for publication in PUBLISHED:
            if publication.topic == topic:
                parts += _publication(publication)
    rows = [f"| `{name}` | {reason} |" for name, reason in _withheld()]
    parts += ["## Not published", "\n".join(["| event | because it |", "|---|---|", *rows])]
    return "\n\n".join(parts) + "\n"


def _withheld() -> Iterator[tuple[str, str]]:
    """Yield the events that are not published, each with the reason; `x.*` stands for all events of a kind."""
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
    defs, fields = _fields(publication.shape)
    link = f"[JSON Schema](events/{schema_file(publication)})"
    return [
        f"### `{publication.type}`, version {publication.version}",
        f"{public_schema(publication)['description']} {link}.",
        _public_table(fields, defs),
    ]


def _public_table(fields: Iterable[tuple[str, dict[str, Any], bool]], defs: dict[str, Any]) -> str:
    lines = ["| field | type | required |", "|---|---|---|"]
    for name, found, required in fields:
        lines.append(f"| `{name}` | {_public_type(found, defs)} | {'yes' if required else ''} |")
    return "\n".join(lines)


def _public_type(found: dict[str, Any], defs: dict[str, Any]) -> str:
    """Name a type by what it stands for: a pattern says little to a reader."""
    if "anyOf" in found:
        return " or ".join(_public_type(option, defs) for option in found["anyOf"])
    if found.get("type") == "array":
        return f"list of {_public_type(found['items'], defs)}"
    named = {
        _pattern(public_fields.Id): "id",
        _pattern(public_fields.Name): "pseudonym",
        _pattern(public_fields.Person): "pseudonym of a person or `service`",
    }
    if found.get("pattern") in named:
        return named[found["pattern"]]
    if found.get("type") == "integer":
        return "integer"
    return "date" if found.get("format") == "date" else _type(found, defs)


def _pattern(field: Any) -> str | None:
    return next((meta.pattern for meta in field.__metadata__ if meta.pattern), None)


def consumer_program() -> str:
    """Show the program that reads the public topics."""
    return f"```python\n{CONSUMER.read_text(encoding='utf-8').rstrip()}\n```"


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
            source=source,
            home=project,
            stream=stream,
            version=version,
            topic=topic,
            schema=1,
            data=data.encode(),
            sequence=number,
            at=number - 1,
            command=command.format(number),
            commit_index=1,
            commit_count=1,
            occurred_at=1_700_000_000_000 + number,
            actor="service:cli",
            correlation=f"request-{number}",
            causation=causation,
            fingerprint=fingerprint,
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" if number == 1 else None,
        )


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


def graphql_schema() -> str:
    """Write the schema of `/graphql`; comments begin it, for the format has no place for a note."""
    return f"# {_NOTE}\n\n{print_schema(served_schema())}\n"


FILES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "events.md": events_page,
    "public-events.md": public_events_page,
    "chain-vectors.json": chain_vectors,
    "schema.graphql": graphql_schema,
}
SECTIONS: dict[str, dict[str, Callable[[], str]]] = {
    "reference/http.md": {"paths": paths_table},
    "reference/security.md": {"policy": policy_table},
    "how-to/consume-public-topics.md": {"program": consumer_program},
}


def generated() -> dict[Path, str]:
    """Return every generated file with the text that it should have."""
    texts = {REFERENCE / name: write() for name, write in FILES.items()}
    for name, document in public_schemas().items():
        texts[PUBLIC_SCHEMAS / name] = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    for name, sections in SECTIONS.items():
        path = DOCS / name
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


def broken_promises() -> list[str]:
    """Name the published schemas that the code no longer keeps to; readers rely on them, so they are not rewritten."""
    return _broken_events() + _broken_graphql()


def _broken_graphql() -> list[str]:
    published = REFERENCE / "schema.graphql"
    if not published.exists():
        return []
    served = build_schema(graphql_schema())
    changes = find_breaking_changes(build_schema(published.read_text(encoding="utf-8")), served)
    return [
        f"{published.name}: {change.description} Deprecate it instead; where the break is meant, remove the file first."
        for change in changes
    ]


def _broken_events() -> list[str]:
    return [
        f"{name} is published and says something else: raise its version in streams/public/publications.py"
        for name, document in public_schemas().items()
        if (PUBLIC_SCHEMAS / name).exists()
        and not same_contract(json.loads((PUBLIC_SCHEMAS / name).read_text(encoding="utf-8")), document)
    ]


def main() -> None:
    """Write the files, or check them."""
    if broken := broken_promises():
        sys.exit("\n".join(broken))
    if "--check" in sys.argv[1:]:
        sys.exit("\n".join(f"out of step: {path.name}" for path in stale()) or 0)
    PUBLIC_SCHEMAS.mkdir(exist_ok=True)
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

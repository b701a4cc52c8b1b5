"""Which changes of a schema break readers or messages; and that the published schemas made none."""

import json
from copy import deepcopy
from pathlib import Path

import jsonschema_rs
import pytest

from docs import generate
from streams.public.compatibility import differences, incompatibilities, same_contract
from streams.public.publications import PUBLISHED
from streams.public.schemas import DIALECT, dataschema, schema, schema_file, schemas

PUBLISHED_FILES = Path(__file__).parents[4] / "docs" / "reference" / "events"

OLD = {
    "$schema": DIALECT,
    "$id": "urn:x:v1",
    "x-codepark-topic": "public.x.v1",
    "title": "Old",
    "description": "What it was.",
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9a-f]+$"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "name": {"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}]},
        "kind": {"$ref": "#/$defs/Kind"},
        "list": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
        "title": {"type": "string"},
        "extra": {"type": "string"},
    },
    "required": ["id", "count", "name", "kind", "list", "title"],
    "$defs": {
        "Kind": {"title": "Kind", "enum": ["a", "b"]},
        "Part": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    },
}


def changed(edit):
    new = deepcopy(OLD)
    new["$id"] = "urn:x:v2"
    edit(new, new["properties"])
    return new


def put(where, key, value):
    where[key] = value


@pytest.mark.parametrize(
    "edit",
    [
        lambda new, _: put(new, "description", "Said better."),
        lambda new, _: put(new, "title", "New"),
        lambda new, _: new["required"].reverse(),
        lambda new, _: new["$defs"]["Kind"]["enum"].reverse(),
        lambda new, fields: fields["name"]["anyOf"].reverse(),
        lambda new, fields: put(fields, "kind", {"enum": ["b", "a"], "description": "In place."}),
        lambda new, fields: put(fields, "added", {"type": "string"}),
        lambda new, _: put(new["$defs"]["Part"]["properties"], "added", {"type": "integer"}),
    ],
)
def test_harmless_changes(edit):
    assert differences(OLD, changed(edit)) == []


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda new, fields: fields.pop("extra"), "/extra: the field is gone"),
        (lambda new, fields: (fields.pop("id"), new["required"].remove("id")), "/id: the field is gone"),
        (lambda new, fields: fields.pop("title"), "/title: the field is gone"),
        (
            lambda new, fields: (put(fields, "added", {"type": "string"}), new["required"].append("added")),
            "/added: a new field that is required, which old messages lack",
        ),
        (lambda new, _: new["required"].remove("id"), "/id: no longer required, but old readers require it"),
        (
            lambda new, _: new["required"].append("extra"),
            "/extra: now required, but old messages may lack it",
        ),
        (lambda new, fields: put(fields["id"], "type", "integer"), '/id: type was "string", is "integer"'),
        (
            lambda new, fields: put(fields["count"], "type", "number"),
            '/count: type was "integer", is "number"',
        ),
        (lambda new, fields: put(fields["count"], "minimum", 2), "/count: minimum was 1, is 2 (narrowed)"),
        (lambda new, fields: put(fields["count"], "minimum", 0), "/count: minimum was 1, is 0 (widened)"),
        (lambda new, fields: put(fields["count"], "maximum", 8), "/count: maximum was 9, is 8 (narrowed)"),
        (lambda new, fields: put(fields["count"], "maximum", 10), "/count: maximum was 9, is 10 (widened)"),
        (lambda new, fields: fields["count"].pop("maximum"), "/count: maximum was 9, is null (widened)"),
        (lambda new, fields: put(fields["extra"], "maxLength", 9), "maxLength was null, is 9 (narrowed)"),
        (lambda new, fields: put(fields["id"], "pattern", "^.$"), "/id: pattern was"),
        (lambda new, fields: put(fields["extra"], "format", "date"), "/extra: format was null"),
        (lambda new, fields: fields["name"]["anyOf"].pop(), "/name: anyOf was"),
        (lambda new, fields: put(fields, "name", {"type": "string"}), "/name: anyOf was"),
        (
            lambda new, fields: put(fields, "id", {"anyOf": [fields["id"], {"type": "null"}]}),
            "/id: anyOf was null",
        ),
        (lambda new, _: new["$defs"]["Kind"]["enum"].remove("a"), '/kind: "a" is no longer a value'),
        (lambda new, _: new["$defs"]["Kind"]["enum"].append("c"), '/kind: "c" is a new value'),
        (lambda new, fields: put(fields, "kind", {"type": "string"}), "/kind: any value is allowed now"),
        (lambda new, fields: put(fields["extra"], "enum", ["x"]), "/extra: only some values are allowed now"),
        (
            lambda new, _: put(new["$defs"]["Part"]["properties"], "path", {"type": "integer"}),
            '/list/*/path: type was "string"',
        ),
        (lambda new, _: new["$defs"]["Part"].pop("required"), "/list/*/path: no longer required"),
        (lambda new, fields: fields["list"].pop("items"), "/list: the type of the items is no longer given"),
        (lambda new, fields: put(fields["list"], "maxItems", 3), "/list: maxItems was null, is 3 (narrowed)"),
        (lambda new, _: put(new, "additionalProperties", False), "/: additionalProperties was null"),
        (lambda new, _: put(new, "type", "array"), '/: type was "object"'),
    ],
)
def test_incompatible_changes_are_named(edit, reason):
    reasons = differences(OLD, changed(edit))
    assert any(reason in line for line in reasons), reasons
    assert not same_contract(OLD, changed(edit))


def test_every_two_versions_are_compared():
    """Transitive: the third may agree with the second and still break with the first."""
    optional = {"type": "string"}
    second = changed(lambda _, fields: put(fields, "added", optional))
    third = {**deepcopy(OLD), "$id": "urn:x:v3"}
    assert incompatibilities([OLD, second]) == []
    assert incompatibilities([OLD, second, third]) == ["urn:x:v2 and urn:x:v3: /added: the field is gone"]


def test_versions_in_different_topics_need_not_be_compatible():
    new = changed(lambda new, fields: (fields.pop("id"), put(new, "x-codepark-topic", "public.x.v2")))
    assert incompatibilities([OLD, new]) == []
    assert not same_contract(OLD, new)


def test_text_for_people_is_no_part_of_the_contract():
    assert same_contract(OLD, changed(lambda new, _: put(new, "description", "Said better.")))
    assert not same_contract(OLD, changed(lambda _, fields: fields.pop("title")))


def published():
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in PUBLISHED_FILES.iterdir()}


@pytest.mark.parametrize("publication", PUBLISHED, ids=lambda publication: publication.type)
def test_the_code_keeps_to_what_is_published(publication):
    """A published file is not changed: raise the version of the publication instead."""
    assert same_contract(published()[schema_file(publication)], schema(publication))


@pytest.mark.parametrize("publication", PUBLISHED, ids=lambda publication: publication.type)
def test_all_versions_are_there_and_go_together(publication):
    files = published()
    versions = [
        files[f"{publication.type}.v{version}.schema.json"] for version in range(1, publication.version + 1)
    ]
    assert f"{publication.type}.v{publication.version + 1}.schema.json" not in files
    assert incompatibilities(versions) == []


def test_no_published_type_is_dropped():
    types = {publication.type for publication in PUBLISHED}
    assert {name.rpartition(".v")[0] for name in published()} == types


@pytest.mark.parametrize("name", sorted(schemas()))
def test_published_schemas_are_schemas(name):
    document = published()[name]
    assert document["$schema"] == DIALECT
    jsonschema_rs.meta.validate(document)


def test_dataschema_names_the_file():
    assert all(published()[schema_file(each)]["$id"] == dataschema(each) for each in PUBLISHED)


def test_the_generator_refuses_to_rewrite_what_is_published(tmp_path, monkeypatch):
    name = "project.deleted.v2.schema.json"
    document = schemas()[name]
    document["properties"]["project"]["pattern"] = "^.*$"
    (tmp_path / name).write_text(json.dumps(document))
    monkeypatch.setattr(generate, "PUBLIC_SCHEMAS", tmp_path)
    assert [line.split()[0] for line in generate.broken_promises()] == [name]
    monkeypatch.setattr("sys.argv", ["generate.py"])
    with pytest.raises(SystemExit, match="raise its version"):
        generate.main()
    assert list(tmp_path.iterdir()) == [tmp_path / name]

"""JSON Schemas (draft 2020-12) of the public events, made from their types."""

from functools import lru_cache
from typing import Any

import msgspec

from streams.public.publications import PUBLISHED, Publication

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TOPIC_KEYWORD = "x-codepark-topic"
_REF = "#/$defs/{name}"

Schema = dict[str, Any]


@lru_cache
def dataschema(publication: Publication[Any]) -> str:
    """Return the URI of the schema of a publication."""
    return f"urn:codepark:event:{publication.type}:v{publication.version}"


def schema_file(publication: Publication[Any]) -> str:
    """Return the name of the file with the schema of a publication."""
    return f"{publication.type}.v{publication.version}.schema.json"


def schema_path(publication: Publication[Any]) -> str:
    """Return the path under which a server shows the schema of a publication."""
    return f"/schema/events/{publication.type}/{publication.version}"


def schema(publication: Publication[Any]) -> Schema:
    """Return the schema of a publication, with the topic to which it belongs."""
    shape = publication.shape
    _, defs = msgspec.json.schema_components([shape], ref_template=_REF)
    own = defs.pop(shape.__name__)
    own["description"] = " ".join(own["description"].split())
    document = {
        "$schema": DIALECT,
        "$id": dataschema(publication),
        TOPIC_KEYWORD: publication.topic,
        **own,
    }
    return {**document, "$defs": defs} if defs else document


def schemas() -> dict[str, Schema]:
    """Return every schema of this release, by the name of its file."""
    return {schema_file(publication): schema(publication) for publication in PUBLISHED}


def inlined(document: Schema) -> Schema:
    """Return a schema without `$defs`, each reference replaced by its target."""
    defs = document.get("$defs", {})

    def expanded(node: Any) -> Any:
        if isinstance(node, list):
            return [expanded(item) for item in node]
        if not isinstance(node, dict):
            return node
        rest = {name: expanded(value) for name, value in node.items() if name not in ("$ref", "$defs")}
        if "$ref" not in node:
            return rest
        return {**expanded(defs[node["$ref"].rpartition("/")[2]]), **rest}

    result: Schema = expanded(document)
    return result

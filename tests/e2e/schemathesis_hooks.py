"""What Schemathesis needs to know of the server that it asks: it loads this module.

Ids, tokens and positions are made by the server, so that the published document cannot hold any that exist.
Here its examples become those of this server, as the page `/docs` does for people.
"""

import itertools
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import schemathesis

_KNOWN: dict[str, Any] = json.loads(
    Path(os.environ["CODEPARK_SCHEMATHESIS_DATA"]).read_text(encoding="utf-8")
)
_MADE_BY_THE_SERVER = ("cursor", "after", "asOf")
_LONGEST_ADDRESS = 60_000
_numbers = itertools.count()


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Give parameters and bodies the examples of this server.

    `fields` is left out: it leaves out fields of an answer, which the type of the answer does not say.
    """
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            known = _KNOWN["values"] | _KNOWN["operations"].get(operation["operationId"], {})
            operation["parameters"] = [each for each in operation["parameters"] if each["name"] != "fields"]
            for parameter in operation["parameters"]:
                if values := known.get(f"{parameter['in']}.{parameter['name']}"):
                    parameter["example"] = values[0]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                _fill(content.get("example"), known)


def _fill(example: Any, known: dict[str, Any]) -> None:
    for place, values in known.items():
        location, _, field = place.partition(".")
        if location == "body" and isinstance(example, dict) and field in example:
            example[field] = values[0]


@schemathesis.hook
def filter_query(context: Any, query: dict[str, Any] | None) -> bool:
    """Leave out addresses that are too long for any operation: the server refuses them before it reads on."""
    return query is None or len(urlencode(query, doseq=True)) < _LONGEST_ADDRESS


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Let a valid request name only positions and versions that there are, and a key that is its own."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    headers, query = case.headers or {}, case.query or {}
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = f"key-{next(_numbers)}"
    if "CodePark-After" in headers:
        headers["CodePark-After"] = _KNOWN["position"]
    if "If-Match" in headers:
        headers["If-Match"] = "*"
    for name in _MADE_BY_THE_SERVER:
        if name in query:
            query[name] = _KNOWN["position"]
    if "/events" not in case.path and "/history" not in case.path:
        query.pop("cursor", None)  # those of other lists belong to one list each

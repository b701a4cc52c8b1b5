"""Whether a schema may follow another in the same topic.

The rule is what Schema Registry calls FULL_TRANSITIVE: a reader that knows any version can read messages of
any other. Old messages stay in a topic and old readers stay in service, so both must remain usable. Our
schemas are open: a reader ignores fields that it does not know. Therefore one change is allowed: a new field
that is not required. Text for people (titles, descriptions) may change.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

from streams.public.schemas import TOPIC_KEYWORD, Schema, inlined

_FOR_PEOPLE = frozenset({"$schema", "$id", "$comment", "title", "description", "examples"})
_LOWER_BOUNDS = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_UPPER_BOUNDS = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_COMPARED_APART = frozenset({"properties", "required", "items", "enum", TOPIC_KEYWORD})


def contract(document: Schema) -> Schema:
    """Return the binding part of a schema: without text for people, references replaced, lists sorted."""
    binding: Schema = _bare(inlined(document))
    return binding


def _bare(node: Any, *, names: bool = False) -> Any:
    """Return *node* without text for people; with *names*, its keys are names of fields, not keywords."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    bare = {
        key: _bare(value, names=key == "properties" and not names)
        for key, value in node.items()
        if names or key not in _FOR_PEOPLE
    }
    if not names:
        for keyword in ("enum", "required", "anyOf", "oneOf", "allOf"):
            if isinstance(bare.get(keyword), list):
                bare[keyword] = sorted(bare[keyword], key=_text)
    return bare


def same_contract(one: Schema, other: Schema) -> bool:
    """Return whether two schemas have the same binding part and the same topic."""
    return contract(one) == contract(other)


def differences(old: Schema, new: Schema) -> list[str]:
    """Return why *new* may not follow *old* in one topic; empty if it may."""
    return list(_compared("", contract(old), contract(new)))


def incompatibilities(versions: Iterable[Schema]) -> list[str]:
    """Compare every two versions of one event type that share a topic."""
    reasons = []
    for old, new in combinations(versions, 2):
        if old.get(TOPIC_KEYWORD) == new.get(TOPIC_KEYWORD):
            reasons += [f"{old['$id']} and {new['$id']}: {reason}" for reason in differences(old, new)]
    return reasons


def _compared(path: str, old: Schema, new: Schema) -> Iterator[str]:
    yield from _compared_fields(path, old, new)
    yield from _compared_values(path, old.get("enum"), new.get("enum"))
    if "items" in old and "items" in new:
        yield from _compared(f"{path}/*", old["items"], new["items"])
    elif "items" in old or "items" in new:
        yield f"{_at(path)}: the type of the items is {'no longer' if 'items' in old else 'now'} given"
    for keyword in sorted((old.keys() | new.keys()) - _COMPARED_APART):
        if old.get(keyword) != new.get(keyword):
            yield _changed(path, keyword, old.get(keyword), new.get(keyword))


def _compared_fields(path: str, old: Schema, new: Schema) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(before.keys() - after.keys()):
        yield f"{path}/{name}: the field is gone"
    for name in sorted(needed_after - before.keys()):
        yield f"{path}/{name}: a new field that is required, which old messages lack"
    for name in sorted(before.keys() & after.keys()):
        if name in needed_before - needed_after:
            yield f"{path}/{name}: no longer required, but old readers require it"
        if name in needed_after - needed_before:
            yield f"{path}/{name}: now required, but old messages may lack it"
        yield from _compared(f"{path}/{name}", before[name], after[name])


def _compared_values(path: str, old: list[Any] | None, new: list[Any] | None) -> Iterator[str]:
    if old is None or new is None:
        if old != new:
            allowed = "any value is allowed now" if new is None else "only some values are allowed now"
            yield f"{_at(path)}: {allowed}"
        return
    yield from (f"{_at(path)}: {_text(value)} is no longer a value" for value in old if value not in new)
    yield from (f"{_at(path)}: {_text(value)} is a new value" for value in new if value not in old)


def _changed(path: str, keyword: str, old: Any, new: Any) -> str:
    return f"{_at(path)}: {keyword} was {_text(old)}, is {_text(new)}{_direction(keyword, old, new)}"


def _direction(keyword: str, old: Any, new: Any) -> str:
    if keyword not in _LOWER_BOUNDS | _UPPER_BOUNDS:
        return ""
    if old is None or new is None:
        return " (narrowed)" if old is None else " (widened)"
    return " (narrowed)" if (new > old) == (keyword in _LOWER_BOUNDS) else " (widened)"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _at(path: str) -> str:
    return path or "/"

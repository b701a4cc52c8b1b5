"""Whether a schema may follow another in the same topic.

The rule is what Schema Registry calls FULL_TRANSITIVE: whoever knows any version can read messages of any other. Old
messages stay in a topic and old readers stay in service, so neither side may be left behind. Of our schemas, which are
open (a reader passes over fields that it does not know), that leaves one change: a new field that is not required.
Text for people (titles, descriptions) may change.
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
    """Return what of a schema binds: no text for people, references replaced, orders without meaning sorted."""
    found: Schema = _bare(inlined(document))
    return found


def _bare(node: Any, *, names: bool = False) -> Any:
    """Leave out what is for people; with *names*, the keys of *node* are names of fields, not keywords."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {
        key: _bare(value, names=key == "properties" and not names)
        for key, value in node.items()
        if names or key not in _FOR_PEOPLE
    }
    if not names:
        for keyword in ("enum", "required", "anyOf", "oneOf", "allOf"):
            if isinstance(found.get(keyword), list):
                found[keyword] = sorted(found[keyword], key=_text)
    return found


def same_contract(one: Schema, other: Schema) -> bool:
    """Tell whether two schemas bind to the same, in the same topic."""
    return contract(one) == contract(other)


def differences(old: Schema, new: Schema) -> list[str]:
    """Return why *new* may not follow *old* in one topic, or *old* be read beside it; empty where it may."""
    return list(_compared("", contract(old), contract(new)))


def incompatibilities(versions: Iterable[Schema]) -> list[str]:
    """Compare every two versions of one event type that share a topic."""
    found = []
    for old, new in combinations(versions, 2):
        if old.get(TOPIC_KEYWORD) == new.get(TOPIC_KEYWORD):
            found += [f"{old['$id']} and {new['$id']}: {reason}" for reason in differences(old, new)]
    return found


def _compared(place: str, old: Schema, new: Schema) -> Iterator[str]:
    yield from _compared_fields(place, old, new)
    yield from _compared_values(place, old.get("enum"), new.get("enum"))
    if "items" in old and "items" in new:
        yield from _compared(f"{place}/*", old["items"], new["items"])
    elif "items" in old or "items" in new:
        yield f"{_at(place)}: what the list holds is {'no longer' if 'items' in old else 'now'} said"
    for keyword in sorted((old.keys() | new.keys()) - _COMPARED_APART):
        if old.get(keyword) != new.get(keyword):
            yield _changed(place, keyword, old.get(keyword), new.get(keyword))


def _compared_fields(place: str, old: Schema, new: Schema) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(before.keys() - after.keys()):
        yield f"{place}/{name}: the field is gone"
    for name in sorted(needed_after - before.keys()):
        yield f"{place}/{name}: a new field that is required, which old messages lack"
    for name in sorted(before.keys() & after.keys()):
        if name in needed_before - needed_after:
            yield f"{place}/{name}: no longer required, but old readers require it"
        if name in needed_after - needed_before:
            yield f"{place}/{name}: now required, but old messages may lack it"
        yield from _compared(f"{place}/{name}", before[name], after[name])


def _compared_values(place: str, old: list[Any] | None, new: list[Any] | None) -> Iterator[str]:
    if old is None or new is None:
        if old != new:
            yield f"{_at(place)}: {'any value is allowed now' if new is None else 'only some values are allowed now'}"
        return
    yield from (f"{_at(place)}: {_text(value)} is no longer a value" for value in old if value not in new)
    yield from (f"{_at(place)}: {_text(value)} is a new value" for value in new if value not in old)


def _changed(place: str, keyword: str, old: Any, new: Any) -> str:
    return f"{_at(place)}: {keyword} was {_text(old)}, is {_text(new)}{_direction(keyword, old, new)}"


def _direction(keyword: str, old: Any, new: Any) -> str:
    if keyword not in _LOWER_BOUNDS | _UPPER_BOUNDS:
        return ""
    if old is None or new is None:
        return " (narrowed)" if old is None else " (widened)"
    return " (narrowed)" if (new > old) == (keyword in _LOWER_BOUNDS) else " (widened)"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _at(place: str) -> str:
    return place or "/"

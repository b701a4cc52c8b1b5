"""Who forgets the oldest entry of a full cache uses an OrderedDict.

A dict looks for its first entry among all that were deleted since it last grew: in a full cache of n entries
each new one would cost up to n steps.
"""

import ast

import pytest

from tests.unit.test_budgets import ROOT, sources


def slow_in(tree):
    """Yield the attribute of each `next(iter(self.attribute))`, or of an item of it, that is in a dict."""
    types = types_of(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="next"), args=[ast.Call(func=ast.Name(id="iter"), args=[searched])]
            ):
                kind = ""
                match searched:
                    case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
                        kind = types.get(attribute, "")
                    case ast.Subscript(value=ast.Attribute(value=ast.Name(id="self"), attr=attribute)):
                        kind = types.get(attribute, "").partition(", ")[2]  # the values of the outer one
                if kind.startswith("dict"):
                    yield attribute


def types_of(tree):
    """Return the annotated types of the attributes of `self`, as text."""
    return {
        node.target.attr: ast.unparse(node.annotation)
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Attribute)
    }


@pytest.mark.parametrize(
    ("kind", "searched", "slow"),
    [
        ("dict[str, int]", "self._known", ["_known"]),
        ("OrderedDict[str, int]", "self._known", []),
        ("dict[int, dict[str, int]]", "self._known[1]", ["_known"]),
        ("dict[int, OrderedDict[str, int]]", "self._known[min(self._known)]", []),
    ],
)
def test_the_search_finds_what_it_looks_for(kind, searched, slow):
    tree = ast.parse(f"self._known: {kind} = made()\ndel {searched}[next(iter({searched}))]")
    assert list(slow_in(tree)) == slow


def test_no_cache_looks_for_its_oldest_entry_in_a_dict():
    slow = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        slow += [f"{path.relative_to(ROOT)}: {attribute}" for attribute in slow_in(tree)]
    assert slow == []

"""Who forgets the oldest entry of a full cache uses an OrderedDict.

A dict looks for its first entry among all that were deleted since it last grew: in a full cache of n entries
each new one would cost up to n steps.
"""

import ast

import pytest

from tests.unit.test_budgets import ROOT, sources


def oldest_of(tree):
    """Yield the attribute of each `next(iter(self.attribute))`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="next"),
                args=[
                    ast.Call(
                        func=ast.Name(id="iter"),
                        args=[ast.Attribute(value=ast.Name(id="self"), attr=attribute)],
                    )
                ],
            ):
                yield attribute


def types_of(tree):
    """Return the annotated types of the attributes of `self`, as text."""
    return {
        node.target.attr: ast.unparse(node.annotation)
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Attribute)
    }


@pytest.mark.parametrize(
    ("kind", "is_refused"), [("dict[str, int] = {}", True), ("OrderedDict[str, int] = OrderedDict()", False)]
)
def test_the_search_finds_what_it_looks_for(kind, is_refused):
    tree = ast.parse(f"self._known: {kind}\ndel self._known[next(iter(self._known))]")
    (attribute,) = oldest_of(tree)
    assert types_of(tree)[attribute].startswith("dict") is is_refused


def test_no_cache_looks_for_its_oldest_entry_in_a_dict():
    slow = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        types = types_of(tree)
        slow += [
            f"{path.relative_to(ROOT)}: {attribute}"
            for attribute in oldest_of(tree)
            if types.get(attribute, "").startswith("dict")
        ]
    assert slow == []

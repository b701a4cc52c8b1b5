"""The name of a collection is written once, next to its read model: everywhere else it is imported.

A misspelt literal would name a collection that no store has, and fail only when the query runs.
"""

import ast
from pathlib import Path

from projections.insights_model import insights_model
from projections.models import READ_MODELS
from tests.support.inline_analyser import InlineAnalyser

ROOT = Path(__file__).parents[3]
MODELS = (*READ_MODELS, insights_model(InlineAnalyser()))
COLLECTIONS = frozenset(collection.name for model in MODELS for collection in model.collections)
DEFINED_IN = (ROOT / "projections" / "models", ROOT / "projections" / "waiting_files.py")

STORE_METHODS = frozenset({"get", "get_many", "count", "totals", "totals_by", "remembered"})
"""Methods of a document store whose first argument is a collection."""
WRITES = frozenset({"Put", "PutOnce", "Patch", "SetItem", "PatchItem", "DropItem", "Delete"})


def modules(*folders):
    """Yield the modules of *folders* with their syntax trees, except those that define collections."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path not in DEFINED_IN and not any(parent in DEFINED_IN for parent in path.parents):
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def name_in(node):
    """Return the name of a collection that *node* is as a literal, else None."""
    is_name = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in COLLECTIONS
    return node.value if is_name else None


def literals(tree):
    """Yield the literals that are names of collections, except keys and fields of documents."""
    keys = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            keys |= {id(key) for key in node.keys}
        elif isinstance(node, ast.Subscript):
            keys.add(id(node.slice))
    for node in ast.walk(tree):
        if id(node) not in keys and name_in(node) is not None:
            yield f"line {node.lineno}: {node.value!r}"


def named_collections(tree):
    """Yield the literals that a call passes as the name of a collection."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        of_store = called in STORE_METHODS and "store" in ast.unparse(function)
        passed = node.args[:1] if of_store or called in WRITES else []
        passed += [keyword.value for keyword in node.keywords if keyword.arg == "collection"]
        for argument in passed:
            if name_in(argument) is not None:
                yield f"line {argument.lineno}: {argument.value!r}"


def test_projections_import_the_names_of_collections():
    """Here a variable or a table with such a literal would also be a second place for the name."""
    named = {name: lines for name, tree in modules("projections") if (lines := list(literals(tree)))}
    assert named == {}, "import these names from projections.models"


def test_other_packages_pass_no_literal_as_a_collection():
    trees = modules("streams", "read_api", "codepark")
    named = {name: lines for name, tree in trees if (lines := list(named_collections(tree)))}
    assert named == {}, "import these names from projections.models"


def test_both_ways_of_looking_see_a_literal():
    tree = ast.parse(
        'self._store.get("files", id_)\nQuery(collection="reviews")\nPut("builds", id_, {"files": 1})'
    )
    expected = ["line 1: 'files'", "line 2: 'reviews'", "line 3: 'builds'"]
    assert sorted(named_collections(tree)) == expected
    assert sorted(literals(tree)) == expected

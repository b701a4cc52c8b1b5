"""The lists of the API are ranges of an index, in order, without a scan and without sorting."""

import pytest

from projections.insights_model import insights_model
from projections.models import READ_MODELS
from projections.sqlite import SQLiteDocumentStore
from projections.sqlite.queries import selects, totals
from projections.store import Above, Equals, Matches, Query, StartsWith
from tests.support.inline_analyser import InlineAnalyser


@pytest.fixture(scope="module")
def store():
    made = SQLiteDocumentStore(None)
    made.prepare((*READ_MODELS, insights_model(InlineAnalyser())))
    yield made
    made.close()


def plan(store, query):
    """Return the plans of all SELECTs of *query*."""
    details = []
    for scope in query.scopes or ((),):
        for sql, params in selects(store._writers[query.collection].table, query, scope):
            rows = store._database.writer.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            details.append([detail for *_, detail in rows])
    return details


PUBLIC, OWN = Equals("visibility", "public"), Equals("ownerId", "o")
PROJECT = Equals("projectId", "p")


@pytest.mark.parametrize(
    ("collection", "where", "sort", "index"),
    [
        ("projects", (PUBLIC,), "createdAt", "visibility_createdAt"),
        ("projects", (PUBLIC,), "name", "visibility_name"),
        ("projects", (OWN,), "createdAt", "ownerId_createdAt"),
        ("projects", (OWN,), "updatedAt", "ownerId_updatedAt"),
        ("projects", (PUBLIC, OWN), "createdAt", "ownerId_createdAt"),
        ("accounts", (), "createdAt", "createdAt"),
        ("files", (PROJECT,), "path", "projectId_path"),
        ("files", (PROJECT, StartsWith("path", "src/")), "path", "projectId_path"),
        ("commits", (PROJECT,), "number", "projectId_number"),
        ("reviews", (PROJECT,), "createdAt", "projectId_createdAt"),
        ("comments", (Equals("reviewId", "r"),), "number", "reviewId_number"),
        ("builds", (PROJECT,), "createdAt", "projectId_createdAt"),
        ("announcements", (), "createdAt", "createdAt"),
        ("notifications", (Equals("accountId", "a"),), "createdAt", "accountId_createdAt"),
        ("activity", (PROJECT,), "sequence", "projectId_sequence"),
        ("suggestions", (PROJECT,), "id", "projectId"),
    ],
)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("after", [None, ("2024", "x")])
def test_a_list_is_a_range_of_its_index(store, *, collection, where, sort, index, descending, after):
    query = Query(collection=collection, where=where, sort=sort, descending=descending, after=after)
    for details in plan(store, query):
        assert len(details) == 1, details
        assert f"USING INDEX {store._writers[collection].table.name}_i_{index}" in details[0]
        assert where == () or "SEARCH" in details[0]


@pytest.mark.parametrize(
    ("where", "sort", "index"),
    [
        ((PROJECT, Above("worst", -1)), "worst", "projectId_worst"),
        ((PROJECT, Equals("leftOut", 1)), "id", "projectId_leftOut"),
        ((PROJECT, Above("sequence", -1)), "sequence", "projectId_sequence"),
        ((Equals("queue", 0), Above("turn", "o")), "turn", "queue_turn"),
        ((Equals("queue", 0), StartsWith("turn", "o ")), "turn", "queue_turn"),
    ],
)
def test_the_few_files_that_matter_have_indexes_of_their_own(store, where, sort, index):
    (details,) = plan(store, Query(collection="file_insights", where=where, sort=sort))
    assert len(details) == 1, details
    assert details[0].startswith("SEARCH")
    assert f"_i_{index}" in details[0]


def test_each_scope_has_its_index(store):
    scopes = ((PUBLIC,), (OWN,), (Equals("collaborators.userId", "u"),))
    public, own, shared = plan(store, Query(collection="projects", scopes=scopes, sort="createdAt"))
    assert "i_visibility_createdAt" in public[0]
    assert "i_ownerId_createdAt" in own[0]
    assert not any(detail.startswith("SCAN d") for detail in shared)
    assert any("projects_v3_g1_m0 USING PRIMARY KEY (value=?)" in detail for detail in shared)


def test_a_path_is_looked_up_within_its_project(store):
    where = (Equals("changes.path", "README.md"), PROJECT, StartsWith("id", "p/"))
    (details,) = plan(store, Query(collection="commits", where=where, sort="number"))
    assert any("USING PRIMARY KEY (value=? AND id>? AND id<?)" in detail for detail in details)


def test_a_search_begins_with_the_text(store):
    (details,) = plan(store, Query(collection="projects", where=(Matches("fox"), PUBLIC), sort="createdAt"))
    assert details[0].startswith("SCAN projects_v3_g1_text VIRTUAL TABLE")
    assert details[1] == "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)"


def test_the_sizes_of_a_projects_files_are_added_up_by_their_own_index(store):
    table = store._writers["files"].table
    sql, params = totals(table, (PROJECT,), ("size",))
    rows = store._database.writer.execute(f"EXPLAIN QUERY PLAN {sql}", params)
    (detail,) = [detail for *_, detail in rows]
    assert f"INDEX {table.name}_i_projectId_size" in detail

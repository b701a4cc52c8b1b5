"""Finding documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.store import Above, Equals, Matches, OneOf, Outside, Query, StartsWith

from .samples import LAWS, note, notes, put


def ids(store, *where, **options):
    return [d["id"] for d in store.find(Query(collection="notes", where=where, **options))]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Equals("group", "a"), ["1", "2"]),
        (Equals("done", True), ["2"]),
        (Equals("rank", None), ["3"]),
        (Equals("nothing", None), ["1", "2", "3"]),
        (Equals("id", "2"), ["2"]),
        (Equals("tags.name", "x"), ["1", "3"]),
        (OneOf("group", ("b", "c")), ["3"]),
        (OneOf("group", ()), []),
        (OneOf("tags.name", ("x", "y")), ["1", "2", "3"]),
        (OneOf("id", ("1", "3", "9")), ["1", "3"]),
        (StartsWith("title", "src/"), ["1", "2"]),
        (StartsWith("title", "src/\U0010ffff"), ["2"]),
        (StartsWith("title", ""), ["1", "2", "3"]),
        (StartsWith("title", "\ud7ff"), []),
        (StartsWith("tags.name", "x"), ["1", "3"]),
        (Above("rank", 1), ["2"]),
        (Above("title", "src/b"), ["2"]),
        (Outside("rank", 1, 2), ["2"]),
        (Outside("rank", 2, None), ["1"]),
        (Outside("rank", 5, 9), ["1", "2"]),
    ],
)
def test_conditions(store, condition, expected):
    put(
        store,
        [
            note("1", rank=1, title="src/a", tags=[{"name": "x"}, {"name": "xy"}]),
            note("2", rank=2, title="src/\U0010ffffb", tags=[{"name": "y"}], done=True),
            note("3", rank=None, group="b", title="doc", tags=[{"name": "x"}]),
        ],
    )
    assert ids(store, condition) == expected


def test_documents_that_a_sparse_index_lacks_are_in_the_answers_without_a_condition_on_its_field(store):
    put(store, [note("1", rank=1), note("2", rank=None), note("3", rank=0), note("4", rank=2, group="b")])
    group = Equals("group", "a")
    assert ids(store, group, sort="rank") == ["2", "3", "1"]
    assert ids(store, group, Equals("rank", None)) == ["2"]
    assert ids(store, group, Above("rank", 0), sort="rank") == ["1"]
    assert ids(store, group, Above("rank", -1), sort="rank", descending=True) == ["1", "3"]
    assert ids(store, group, Equals("rank", 0)) == ["3"]
    assert ids(store, group, Outside("rank", 1, None)) == ["3"]
    assert ids(store, group, StartsWith("rank", "")) == []


def test_all_conditions_hold(store):
    put(store, [note("1", tags=[{"name": "x"}, {"name": "y"}]), note("2", tags=[{"name": "x"}], group="b")])
    assert ids(store, Equals("tags.name", "x"), Equals("tags.name", "y")) == ["1"]
    assert ids(store, Equals("tags.name", "x"), Equals("group", "b")) == ["2"]
    assert ids(store, Equals("tags.name", "x"), StartsWith("id", "2")) == ["2"]


def test_one_of_the_scopes_holds_and_no_document_comes_twice(store):
    put(store, [note(str(n), rank=n, group="ab"[n % 2], tags=[{"name": "x"}] * (n < 3)) for n in range(6)])
    scopes = ((Equals("group", "a"),), (Equals("tags.name", "x"),))
    assert ids(store, scopes=scopes, sort="rank", descending=True) == ["4", "2", "1", "0"]
    assert ids(store, Above("rank", 1), scopes=scopes, sort="rank", limit=1) == ["2"]


@LAWS
@given(
    documents=st.lists(notes, max_size=12, unique_by=lambda d: d["id"]),
    extra=st.integers(0, 8),
    limit=st.integers(1, 5),
    sort=st.sampled_from(["id", "rank", "title", "missing"]),
    descending=st.booleans(),
    scoped=st.booleans(),
    where=st.sampled_from([(), (Equals("group", "a"),)]),
)
def test_pages_give_each_document_once_in_order(
    new_store, *, documents, extra, limit, sort, descending, scoped, where
):
    documents += [note(f"n{n}", rank=None if n % 3 == 0 else n % 2) for n in range(extra)]
    scopes = ((Equals("group", "a"),), (Equals("group", "b"),), (Equals("tags.name", "x"),)) if scoped else ()
    with new_store() as store:
        put(store, documents)
        pages, after = [], None
        while True:
            query = Query(
                collection="notes",
                where=where,
                scopes=scopes,
                sort=sort,
                descending=descending,
                limit=limit,
                after=after,
            )
            page = store.find(query)
            pages += page
            if len(page) < limit:
                break
            after = (page[-1].get(sort), page[-1]["id"])
    wanted = [document for document in documents if not where or document["group"] == "a"]
    assert pages == sorted(wanted, key=lambda d: _order(d, sort), reverse=descending)


def _order(document, sort):
    value = document.get(sort)
    return value is not None, value if value is not None else 0, document["id"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fox", ["1", "2"]),
        ("FOX red", ["1"]),
        ("red fo", ["1"]),
        ("re fox", []),
        ("cafe", ["2"]),
        ("café", ["2"]),
        ("c++", ["2"]),
        ("CAFÉ", ["2"]),
        ("cafe\u0301", ["2"]),
        ("fox.", ["1", "2"]),
        ("au_caf", ["2"]),
        ("red OR blue", []),
        ("title:fox", []),
        ('"', []),
        ("++", []),
        ("", []),
    ],
)
def test_search(store, text, expected):
    put(store, [note("1", title="Red fox"), note("2", title="blue FOX", text="au café with C++")])
    assert ids(store, Matches(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("プロジェクト", ["1"]),
        ("日本", ["1"]),
        ("語", ["1", "2"]),
        ("ﾌﾟﾛｼﾞｪｸﾄ", ["1"]),
        ("ロジ 本語", ["1"]),
        ("ジロ", []),
        ("プロジェクト管理", ["1"]),
        ("本語プロジェクト管理システム", ["1"]),
        ("本語プロジェクト管理シスネム", []),
        ("국어", ["2"]),
        ("ไทย", ["2"]),
        ("系 code", ["2"]),
        ("codex", []),
    ],
)
def test_search_finds_words_inside_of_text_that_does_not_separate_them(store, text, expected):
    put(
        store,
        [note("1", title="日本語プロジェクト管理システム"), note("2", text="한국어 語系CodePark ภาษาไทย")],
    )
    assert ids(store, Matches(text)) == expected


def test_search_goes_with_other_conditions_order_and_pages(store):
    put(store, [note(str(n), rank=9 - n, title="fox", group="ab"[n % 2]) for n in range(6)])
    assert ids(store, Matches("fox"), Equals("group", "a"), sort="rank", limit=2) == ["4", "2"]
    assert ids(store, Matches("fox"), Equals("group", "a"), sort="rank", after=(7, "2")) == ["0"]


@LAWS
@given(text=st.text() | st.text(alphabet='"*^:(){}+- \0\ud800ANDORT') | st.just("a " * 2_000))
def test_no_text_makes_a_search_fail(new_store, text):
    with new_store() as store:
        put(store, [note("1", title="red fox")])
        assert ids(store, Matches(text)) in ([], ["1"])


def test_totals(store):
    put(store, [note("1", rank=2), note("2", rank=None), note("3", rank=5), note("4", rank=7, group="b")])
    assert store.totals("notes", (Equals("group", "a"),), ("rank",)) == {"count": 3, "rank": 7}
    assert store.totals("notes", (Equals("group", "z"),), ("rank",)) == {"count": 0, "rank": 0}


def test_a_search_without_text_fields_is_refused(store):
    with pytest.raises(ValueError, match="no text search"):
        store.find(Query(collection="drafts", where=(Matches("fox"),)))


def test_several_queries_are_answered_as_one_after_the_other(store):
    put(store, [note(str(n), rank=None if n == 3 else n, group="ab"[n % 2]) for n in range(9)])
    queries = [
        Query(collection="notes", where=(Equals("group", "a"),), sort="rank", descending=True, limit=2),
        Query(collection="notes", where=(Equals("group", "nobody"),), limit=2),
        Query(
            collection="notes", where=(Equals("group", "b"),), sort="rank", descending=True, after=(5, "5")
        ),
        Query(collection="notes", limit=3),
    ]
    answers = store.find_many(queries)
    assert [[d["id"] for d in answer] for answer in answers] == [["8", "6"], [], ["1", "3"], ["0", "1", "2"]]
    assert answers == [store.find(query) for query in queries]
    assert store.find_many([]) == []


def test_totals_by_a_field_are_those_of_each_value(store):
    put(store, [note(str(n), rank=n, group="abc"[n % 3]) for n in range(6)])
    values = ["a", "c", "nobody"]
    totals = store.totals_by("notes", "group", values, ["rank"])
    assert totals == {value: store.totals("notes", [Equals("group", value)], ["rank"]) for value in values}
    assert (totals["a"], totals["nobody"]) == ({"count": 2, "rank": 3}, {"count": 0, "rank": 0})

"""Filters for MongoDB: equalities stand side by side, for the sake of indexes; all else is below `$and`."""

from projections.model import Collection
from projections.mongodb.queries import conjunction, filters
from projections.store import Above, Equals, Matches, OneOf, Query, StartsWith

NOTES = Collection(name="notes", indexes=(("projectId", "rank"),), multikey=("tags.name",), text=("title",))


def test_equalities_of_several_fields_are_one_flat_filter():
    where = (Equals("projectId", "p"), OneOf("group", ("a", "b")))
    flat = {"_deleted": None, "projectId": "p", "group": {"$in": ["a", "b"]}}
    assert conjunction(NOTES, where) == flat
    assert list(filters(NOTES, Query(collection="notes", where=where))) == [flat]


def test_a_range_stands_below_the_equalities():
    where = (Above("rank", 1), Equals("projectId", "p"))
    assert conjunction(NOTES, where) == {"_deleted": None, "projectId": "p", "$and": [{"rank": {"$gt": 1}}]}


def test_a_second_condition_on_a_field_does_not_replace_the_first():
    where = (Equals("tags.name", "x"), Equals("tags.name", "y"), Equals("projectId", "p"))
    assert conjunction(NOTES, where) == {
        "_deleted": None,
        "tags.name": "x",
        "projectId": "p",
        "$and": [{"tags.name": "y"}],
    }


def test_scopes_and_a_page_keep_their_alternatives_apart():
    scopes = ((Equals("group", "a"),), (Equals("group", "b"),))
    query = Query(collection="notes", scopes=scopes, sort="rank", after=(5, "id"))
    (only,) = filters(NOTES, query)
    assert only == {
        "_deleted": None,
        "$and": [
            {"$or": [{"$and": [{"group": "a"}]}, {"$and": [{"group": "b"}]}]},
            {"rank": {"$gte": 5}},
            {"$or": [{"rank": {"$gt": 5}}, {"rank": 5, "_id": {"$gt": "id"}}]},
        ],
    }


def test_a_search_and_a_prefix_both_hold():
    both = conjunction(NOTES, (Matches("red fox"), StartsWith("id", "p/")))
    words = [{"_words": {"$all": ["red"]}}, {"_words": {"$elemMatch": {"$gte": "fox", "$lt": "foy"}}}]
    assert both == {"_deleted": None, "$and": [{"$and": words}, {"_id": {"$gte": "p/", "$lt": "p0"}}]}

"""Documents that were written recently, within a budget of bytes."""

from projections.fold import StoredDocument
from projections.recent_documents import RecentDocuments


def test_the_documents_written_last_stay_within_the_budget():
    recent = RecentDocuments(budget=3_000)
    for number in range(10):
        recent.put(str(number), StoredDocument(number, {}), 744)
    assert [number for number in range(10) if recent.get(str(number))] == [7, 8, 9]


def test_a_document_that_is_written_again_is_the_last_one():
    recent = RecentDocuments(budget=2_000)
    for id_ in ("a", "b", "a", "c"):
        recent.put(id_, StoredDocument(1, {}), 744)
    assert [id_ for id_ in "abc" if recent.get(id_)] == ["a", "c"]


def test_a_large_document_is_not_kept_and_its_older_state_goes():
    recent = RecentDocuments(budget=10_000_000)
    recent.put("a", StoredDocument(1, {}), 10)
    recent.put("a", StoredDocument(2, {}), 1_000_000)
    assert recent.get("a") is None


def test_a_dropped_document_is_not_known():
    recent = RecentDocuments(budget=10_000)
    recent.put("a", StoredDocument(1, {}), 10)
    recent.drop("a")
    recent.drop("a")
    assert recent.get("a") is None

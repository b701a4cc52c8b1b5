from projections.fold import Stored
from projections.recent_documents import Recent


def test_the_last_written_stay_within_the_budget():
    recent = Recent(budget=3_000)
    for number in range(10):
        recent.put(str(number), Stored(number, {}), 744)
    assert [number for number in range(10) if recent.get(str(number))] == [7, 8, 9]


def test_a_large_document_is_not_kept_and_its_older_state_goes():
    recent = Recent(budget=10_000_000)
    recent.put("a", Stored(1, {}), 10)
    recent.put("a", Stored(2, {}), 1_000_000)
    assert recent.get("a") is None


def test_what_is_dropped_is_read_again():
    recent = Recent(budget=10_000)
    recent.put("a", Stored(1, {}), 10)
    recent.drop("a")
    recent.drop("a")
    assert recent.get("a") is None

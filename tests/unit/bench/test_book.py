"""The document of a run, and the tables made of it."""

from collections import Counter

from bench.book import OURS, Book
from bench.report.data import Data
from bench.report.full import full_tables
from bench.report.tables import disturbances, number, rows

SETTINGS = {"quick": True, "seconds": 2.0, "repeats": 1, "measuredAt": "2026-01-02T03:04:05+00:00"}


def new_book():
    book = Book()
    book.add("rate", OURS, [300, 100, 200], unit="1/s", better="higher", about="commands")
    book.add("rate", "peer", 50, unit="1/s", better="higher", about="commands", events=7)
    book.add("p99", OURS, 4.0, unit="ms", better="lower", about="latency", toFirst=1.5)
    book.add("p99", "peer", 2.0, unit="ms", better="lower", about="latency")
    book.add("alone", OURS, 9.0, unit="kB", better="lower", about="a subscriber")
    book.add("theirs", "peer", 8.0, unit="kB", better="lower", about="only theirs")
    return book


def test_the_value_is_the_median_and_the_ratio_favours_us_above_one():
    entry = new_book().document({}, SETTINGS)["results"]["rate"]
    assert entry["codepark"] == {"value": 200, "values": [300, 100, 200]}
    assert entry["peers"] == {"peer": {"value": 50, "values": [50], "events": 7, "ratio": 4}}


def test_where_less_is_better_the_ratio_turns_round():
    assert new_book().document({}, SETTINGS)["results"]["p99"]["peers"]["peer"]["ratio"] == 0.5


def test_a_peer_without_us_has_no_ratio():
    entry = new_book().document({}, SETTINGS)["results"]["theirs"]
    assert "codepark" not in entry
    assert "ratio" not in entry["peers"]["peer"]


def test_only_measures_with_errors_are_recorded_as_errors():
    book = new_book()
    book.failed("rate", "peer", Counter({"503": 2}))
    book.failed("rate", OURS, Counter())
    assert book.document({}, SETTINGS)["errors"] == [
        {"measure": "rate", "contestant": "peer", "errors": {"503": 2}}
    ]


def test_the_table_has_a_line_for_each_peer():
    assert list(rows(new_book().document({}, SETTINGS)["results"])) == [
        ("commands", "200 1/s", "50 (peer)", "4"),
        ("latency", "4 ms (1.5 of the first)", "2 (peer)", "0.5"),
        ("a subscriber", "9 kB", "-", "-"),
        ("only theirs", "-", "8 (peer)", "-"),
    ]


def test_the_full_tables_show_machine_errors_and_omissions():
    book = new_book()
    book.failed("rate", "peer", Counter({"503": 2}))
    book.leave_out("import", "no\ndata")
    facts = {"cores": 2, "packages": {"a": "1"}, "postgres": None}
    text = full_tables(Data([book.document(facts, SETTINGS)]))
    assert "## 2026-01-02: `python -m bench --quick`" in text
    assert "1 repetition of 2 s." in text
    assert "| cores | 2 |" in text
    assert "| packages | a 1 |" in text
    assert "postgres |" not in text
    assert "| commands | 200 1/s | 50 (peer) | 4 |" in text
    assert "- rate, peer: 2 of 503" in text
    assert "- import: no data" in text


def test_the_full_tables_name_the_measures_that_were_chosen():
    run = new_book().document({}, SETTINGS | {"quick": False, "only": ["growth", "live"]})
    assert "`python -m bench --only growth live`" in full_tables(Data([run]))


def test_busy_neighbours_are_named():
    book = new_book()
    book.add("quiet", OURS, 1, unit="1/s", better="higher", about="x", othersCores=[0.1, 0.2])
    book.add("loud", OURS, 1, unit="1/s", better="higher", about="x", othersCores=[0.1, 1.2])
    run = book.document({}, SETTINGS)
    assert disturbances(run) == ["loud, codepark: other processes kept 1.2 cores busy"]
    assert "- loud, codepark" in full_tables(Data([run]))


def test_numbers_are_short():
    assert [number(value) for value in (12345.6, 100, 99.96, 1.2345, 0.01234)] == [
        "12,346",
        "100",
        "100",
        "1.23",
        "0.0123",
    ]

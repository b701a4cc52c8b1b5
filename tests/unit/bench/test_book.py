from collections import Counter

from bench.book import OURS, Book
from bench.report import number, page, rows

SETTINGS = {"quick": True, "seconds": 2.0, "repeats": 1, "measuredAt": "2026-01-02T03:04:05+00:00"}


def book():
    results = Book()
    results.add("rate", OURS, [300, 100, 200], unit="1/s", better="higher", about="commands")
    results.add("rate", "peer", 50, unit="1/s", better="higher", about="commands", events=7)
    results.add("p99", OURS, 4.0, unit="ms", better="lower", about="latency", toFirst=1.5)
    results.add("p99", "peer", 2.0, unit="ms", better="lower", about="latency")
    results.add("alone", OURS, 9.0, unit="kB", better="lower", about="a subscriber")
    results.add("theirs", "peer", 8.0, unit="kB", better="lower", about="only theirs")
    return results


def test_the_value_is_the_median_and_the_ratio_favours_us_above_one():
    entry = book().document({}, SETTINGS)["results"]["rate"]
    assert entry["codepark"] == {"value": 200, "values": [300, 100, 200]}
    assert entry["peers"] == {"peer": {"value": 50, "values": [50], "events": 7, "ratio": 4}}


def test_where_less_is_better_the_ratio_turns_round():
    assert book().document({}, SETTINGS)["results"]["p99"]["peers"]["peer"]["ratio"] == 0.5


def test_a_peer_without_us_has_no_ratio():
    entry = book().document({}, SETTINGS)["results"]["theirs"]
    assert "codepark" not in entry
    assert "ratio" not in entry["peers"]["peer"]


def test_errors_are_told_and_an_absence_of_them_is_not():
    results = book()
    results.failed("rate", "peer", Counter({"503": 2}))
    results.failed("rate", OURS, Counter())
    assert results.document({}, SETTINGS)["errors"] == [
        {"measure": "rate", "contestant": "peer", "errors": {"503": 2}}
    ]


def test_the_table_has_a_line_for_each_peer():
    assert list(rows(book().document({}, SETTINGS)["results"])) == [
        ("commands", "200 1/s", "50 (peer)", "4"),
        ("latency", "4 ms (1.5 of the first)", "2 (peer)", "0.5"),
        ("a subscriber", "9 kB", "-", "-"),
        ("only theirs", "-", "8 (peer)", "-"),
    ]


def test_the_page_tells_machine_errors_and_what_is_left_out():
    results = book()
    results.failed("rate", "peer", Counter({"503": 2}))
    results.leave_out("import", "no\ndata")
    text = page(results.document({"cores": 2, "packages": {"a": "1"}, "postgres": None}, SETTINGS))
    assert "`python -m bench --quick` on 2026-01-02" in text
    assert "| cores | 2 |" in text
    assert "| packages | a 1 |" in text
    assert "postgres |" not in text
    assert "| commands | 200 1/s | 50 (peer) | 4 |" in text
    assert "- rate, peer: 2 of 503" in text
    assert "- import: no data" in text


def test_the_page_warns_of_busy_neighbours():
    results = book()
    results.add("quiet", OURS, 1, unit="1/s", better="higher", about="x", othersCores=[0.1, 0.2])
    results.add("loud", OURS, 1, unit="1/s", better="higher", about="x", othersCores=[0.1, 1.2])
    text = page(results.document({}, SETTINGS))
    assert "- loud, codepark: other processes kept 1.2 cores busy" in text
    assert "- quiet" not in text


def test_numbers_are_short():
    assert [number(value) for value in (12345.6, 100, 99.96, 1.2345, 0.01234)] == [
        "12,346",
        "100",
        "100",
        "1.23",
        "0.0123",
    ]

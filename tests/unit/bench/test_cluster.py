from bench.aims import Aim, verdicts
from bench.book import OURS, Book
from bench.clusters import parsed, total
from bench.measures.cluster_lag import bound, cumulated
from bench.report.data import Data
from bench.report.full import full_tables
from bench.report.tables import aims_table, disturbances

SETTINGS = {"quick": False, "seconds": 6.0, "repeats": 3, "measuredAt": "2026-01-02T03:04:05+00:00"}
METRICS = parsed(
    """# HELP late of one worker
late_bucket{group="a",le="0.1",partition="0"} 90.0
late_bucket{group="a",le="0.25",partition="0"} 99.0
late_bucket{group="a",le="+Inf",partition="0"} 100.0
late_bucket{group="a",le="0.1",partition="1"} 100.0
late_bucket{group="a",le="0.25",partition="1"} 100.0
late_bucket{group="a",le="+Inf",partition="1"} 100.0
late_bucketing 7
"""
)


def cluster_run():
    book = Book()
    book.servers["mongodb"] = "secantusd-py"
    book.add("cluster-append-100-rate", OURS, 60_000, unit="events/s", better="higher", about="append 100")
    book.add(
        "cluster-append-100-rate", "aiokafka", 120_000, unit="events/s", better="higher", about="append 100"
    )
    book.add("cluster-append-100-p99", OURS, 4, unit="ms", better="lower", about="append 100, p99")
    book.add(
        "cluster-conflict-3-nodes-rate",
        OURS,
        900,
        unit="commands/s",
        better="higher",
        about="3 nodes",
        acknowledged=1800,
        counted=1801,
        void=200,
    )
    return book.document({"cores": 2}, SETTINGS)


def test_a_metric_is_summed_over_its_labels_and_no_other_name():
    assert total(METRICS, "late_bucket") == 589
    assert total(METRICS, "late_bucketing") == 7
    assert total(METRICS, "late") == 0


def test_a_histogram_is_cumulated_over_its_labels():
    assert cumulated(METRICS, "late_bucket") == {"0.1": 190, "0.25": 199, "+Inf": 200}


def test_the_bound_of_a_share_is_that_of_its_bucket():
    assert bound(METRICS, "late_bucket", 0.95) == 0.1
    assert bound(METRICS, "late_bucket", 0.99) == 0.25
    assert bound(METRICS, "late_bucket", 1.0) == float("inf")


def test_an_aim_is_reached_at_its_limit():
    aims = (Aim("a", "quick", 5, "lower"), Aim("b", "much", 5, "higher"), Aim("c", "absent", 1, "higher"))
    results = {name: {"codepark": {"value": value}, "unit": "x"} for name, value in (("a", 5), ("b", 4.9))}
    assert list(verdicts(results, aims)) == [("quick", 5, "x", "reached"), ("much", 4.9, "x", "missed")]


def test_an_aim_may_compare_with_the_first_value_of_a_series():
    aims = (Aim("a", "flat", 1.2, "lower", "toFirst"), Aim("b", "flat", 1.2, "lower", "toFirst"))
    results = {
        "a": {"codepark": {"value": 900, "toFirst": 1.3}, "unit": "ms"},
        "b": {"codepark": {"value": 900}, "unit": "ms"},
    }
    assert list(verdicts(results, aims)) == [("flat", 1.3, "times", "missed")]


def test_the_full_tables_show_servers_and_void_records():
    text = full_tables(Data([cluster_run()]))
    assert "| servers | mongodb secantusd-py |" in text
    assert "| append 100 | 60,000 events/s | 120,000 (aiokafka) | 0.5 |" in text
    assert "- 3 nodes: 1,800 acknowledged, 1,801 counted, 200 void" in text


def test_the_table_of_aims_has_those_that_were_measured():
    assert aims_table(cluster_run()["results"])[2:] == [
        "| append 50,000 events/s, 100 a call | 60,000 events/s | reached |",
        "| append 100 events within 3 ms (p99) | 4 ms | missed |",
    ]
    assert aims_table({}) == []


def test_a_run_on_a_busy_machine_is_marked():
    busy, quiet = (cluster_run() | {"settings": SETTINGS | {"loadBefore": load}} for load in (3.14, 0.4))
    assert disturbances(busy) == [
        "before the run, 3.14 processes wanted the 2 cores: trust ratios more than values"
    ]
    assert disturbances(quiet) == []

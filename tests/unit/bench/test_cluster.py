from bench.aims import Aim, verdicts
from bench.book import OURS, Book
from bench.clusters import parsed, total
from bench.measures.cluster_lag import bound, cumulated
from bench.report import page

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


def cluster_page():
    measured = Book()
    measured.servers["mongodb"] = "secantusd-py"
    measured.add("rate", OURS, 7, unit="1/s", better="higher", about="embedded")
    measured.add(
        "cluster-append-100-rate", OURS, 60_000, unit="events/s", better="higher", about="append 100"
    )
    measured.add(
        "cluster-append-100-rate", "aiokafka", 120_000, unit="events/s", better="higher", about="append 100"
    )
    measured.add("cluster-append-100-p99", OURS, 4, unit="ms", better="lower", about="append 100, p99")
    measured.add(
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
    return page(measured.document({"cores": 2}, SETTINGS))


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


def test_the_page_keeps_the_cluster_apart():
    embedded, _, cluster = cluster_page().partition("## Cluster profile")
    assert "| embedded | 7 1/s | - | - |" in embedded
    assert "append 100" not in embedded
    assert "| mongodb | secantusd-py |" in cluster
    assert "| append 100 | 60,000 events/s | 120,000 (aiokafka) | 0.5 |" in cluster


def test_the_page_tells_what_the_cluster_aims_at_and_what_was_void():
    text = cluster_page()
    assert "| append 50,000 events/s at batch 100 | 60,000 events/s | reached |" in text
    assert "| the same within 3 ms (p99) | 4 ms | missed |" in text
    assert "- 3 nodes: 1,800 acknowledged, 1,801 counted, 200 void" in text


def test_a_page_without_a_cluster_says_nothing_of_it():
    measured = Book()
    measured.add("rate", OURS, 7, unit="1/s", better="higher", about="embedded")
    assert "luster" not in page(measured.document({"cores": 2}, SETTINGS))


def test_a_page_of_a_busy_machine_says_so():
    measured = Book()
    measured.add("rate", OURS, 7, unit="1/s", better="higher", about="embedded")
    busy, quiet = (measured.document({"cores": 2}, SETTINGS | {"loadBefore": load}) for load in (3.14, 0.4))
    assert "before the run 3.14 processes wanted the 2 cores" in page(busy)
    assert "before the run" not in page(quiet)

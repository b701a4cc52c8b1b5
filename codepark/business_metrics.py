"""The figures of the business for Prometheus: those of today, and the people of this month, in UTC."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from projections.models.business import FIGURES
from projections.queries.business import BusinessQueries
from projections.store import StoreUnavailableError

_NAMES = {
    "projectsCreated": "codepark_business_projects_created",
    "commitsRecorded": "codepark_business_commits_recorded",
    "reviewsOpened": "codepark_business_reviews_opened",
    "reviewsDecided": "codepark_business_reviews_decided",
    "builds": "codepark_business_builds",
    "suggestionsAccepted": "codepark_business_suggestions_accepted",
}


def _today() -> date:
    return datetime.now(UTC).date()


class BusinessMetrics(Collector):
    """Counts when it is asked; without the store, there are no such figures."""

    def __init__(self, queries: BusinessQueries, today: Callable[[], date] = _today) -> None:
        """Ask *queries* for the figures of *today*."""
        self._queries = queries
        self._today = today

    def collect(self) -> Iterator[Metric]:
        """Yield the figures as they are now."""
        today = self._today()
        try:
            figures = self._queries.figures(today, today)
        except StoreUnavailableError:
            return
        (day,), (month,) = figures["byDay"], figures["byMonth"]
        people = GaugeMetricFamily(
            "codepark_business_active_people",
            "People active today, and this month",
            labels=["period"],
        )
        people.add_metric(["day"], day["activePeople"])
        people.add_metric(["month"], month["activePeople"])
        yield people
        for figure, cls in FIGURES.items():
            yield GaugeMetricFamily(_NAMES[figure], f"Events {cls.TOPIC} of today", value=day[figure])

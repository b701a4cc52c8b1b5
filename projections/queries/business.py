"""The figures of the business by day and month, counted when they are asked for."""

from collections.abc import Sequence
from datetime import date, timedelta

from projections.models.business import ACTIVE_PEOPLE, DONE, FIGURES, day_figure
from projections.store import DocumentStore
from projections.writes import Document

_AT_ONCE = 500


class BusinessQueries:
    """Count who was active and what was done. Nothing here asks who wants to know it: callers do."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def figures(self, first: date, last: date) -> Document:
        """Return the figures of each day from *first* through *last*, and of each month of these days."""
        span = (last - first).days + 1
        days = [(first + timedelta(days=number)).isoformat() for number in range(span)]
        months = list(dict.fromkeys(day[:7] for day in days))
        people = self._counts(ACTIVE_PEOPLE, "period", [*days, *months])
        done = self._counts(DONE, "figure", [day_figure(name, day) for day in days for name in FIGURES])
        return {
            "byDay": [
                {
                    "day": day,
                    "activePeople": people[day],
                    **{name: done[day_figure(name, day)] for name in FIGURES},
                }
                for day in days
            ],
            "byMonth": [{"month": month, "activePeople": people[month]} for month in months],
        }

    def _counts(self, collection: str, field: str, values: Sequence[str]) -> dict[str, int]:
        """Return how many documents have each of *values*, by an index alone."""
        counts = dict.fromkeys(values, 0)
        for start in range(0, len(values), _AT_ONCE):
            found = self._store.totals_by(collection, field, values[start : start + _AT_ONCE], ())
            counts |= {value: int(sums["count"]) for value, sums in found.items()}
        return counts

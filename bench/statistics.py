"""Exact percentiles, medians and ratios of measured values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Latencies:
    """A summary of latencies, in milliseconds."""

    count: int
    mean: float
    p50: float
    p95: float
    p99: float
    p999: float
    worst: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that a *share* (0 to 1) of *ordered* does not exceed (nearest rank)."""
    if not ordered:
        raise ValueError("no values, so no percentile")
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1, {share} does not")
    rank = math.ceil(round(share * len(ordered), 9))
    return ordered[max(rank, 1) - 1]


def median(values: Sequence[float]) -> float:
    """Return the middle value, or the mean of the middle two."""
    if not values:
        raise ValueError("no values, so no median")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def summarise(seconds: Sequence[float]) -> Latencies:
    """Return the percentiles of latencies in seconds."""
    ordered = sorted(1000 * value for value in seconds)
    return Latencies(
        count=len(ordered),
        mean=sum(ordered) / len(ordered) if ordered else math.nan,
        p50=percentile(ordered, 0.5),
        p95=percentile(ordered, 0.95),
        p99=percentile(ordered, 0.99),
        p999=percentile(ordered, 0.999),
        worst=ordered[-1],
    )


def advantage(ours: float, theirs: float, better: Better) -> float | None:
    """Return how many times better *ours* is than *theirs*, None where that would divide by zero."""
    upper, lower = (ours, theirs) if better == "higher" else (theirs, ours)
    return upper / lower if lower > 0 else None


def rounded(value: float, digits: int = 4) -> float:
    """Return *value* with that many significant digits; a larger number loses only its fraction."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, max(digits - 1 - math.floor(math.log10(abs(value))), 0))

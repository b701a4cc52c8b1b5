"""What was written while a project was private, and stays private once the project is public.

A project's *private spans* are pairs of sequences of its partition: that of the first event of the span, and
that of the event that ended it, null while the span lasts.
"""

from collections.abc import Sequence

from msgspec import Struct

from domain.project.events import Visibility

Spans = Sequence[Sequence[int | None]]

_MOST_SPANS = 50


def spans_after(
    spans: Spans, visibility: str, sequence: int, *, publish_history: bool
) -> list[list[int | None]]:
    """Return the private spans after the event at *sequence* left the project with this *visibility*.

    A project that is public again keeps its spans, unless its owner publishes its history. Of too many spans
    the two oldest become one, which also hides what was public between them.
    """
    kept = [list(span) for span in spans]
    lasts = bool(kept) and kept[-1][1] is None
    if visibility == Visibility.PRIVATE:
        if not lasts:
            kept.append([sequence, None])
    elif publish_history:
        kept.clear()
    elif lasts:
        kept[-1][1] = sequence
    if len(kept) > _MOST_SPANS:
        kept[:2] = [[kept[0][0], kept[1][1]]]
    return kept


class SeenHistory(Struct, frozen=True):
    """The part of a project's history that an actor sees: all of it, but for these *private* spans."""

    private: tuple[tuple[int, int | None], ...] = ()

    def includes(self, sequence: int) -> bool:
        """Return whether the actor sees what was written at *sequence* of the project's partition."""
        return not any(first <= sequence and (end is None or sequence < end) for first, end in self.private)


EVERYTHING = SeenHistory()


def outside(spans: Spans) -> SeenHistory:
    """Return what an actor sees of a history who could not see the project in its private *spans*."""
    return SeenHistory(tuple((span[0] or 0, span[1]) for span in spans)) if spans else EVERYTHING

"""The figures of the business: which days are asked for, and what the answer shows."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from domain.errors import InvalidError
from projections.writes import Document
from read_api.contract.parameters import Fields
from read_api.contract.views import View
from read_api.gateway.call import Call
from read_api.gateway.patterns import pattern

MOST_DAYS = 366
_DEFAULT_DAYS = 30

Day = Annotated[
    str,
    Meta(pattern=pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "write a day, such as 2026-01-31"), max_length=10),
]


class BusinessQuery(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The first and the last day that are asked for: by default the last thirty days, in UTC."""

    from_: Day | None = None
    until: Day | None = None
    fields: Fields | None = None

    def days(self, today: date) -> tuple[date, date]:
        """Return the first and the last day; raises InvalidError."""
        last = today if self.until is None else _day(self.until, "until")
        try:
            first = last - timedelta(days=_DEFAULT_DAYS - 1)
        except OverflowError as error:
            raise _invalid("until", "write a day of this era") from error
        if self.from_ is not None:
            first = _day(self.from_, "from")
        if first > last:
            raise _invalid("from", "from is after until: swap them")
        if (last - first).days >= MOST_DAYS:
            raise _invalid("from", f"ask for at most {MOST_DAYS} days at once")
        return first, last


class BusinessDay(View):
    """What happened on one day, in UTC."""

    day: str
    active_people: int
    projects_created: int
    commits_recorded: int
    reviews_opened: int
    reviews_decided: int
    builds: int
    suggestions_accepted: int


class BusinessMonth(View):
    """How many people were active in one month, in UTC, also before the first day that was asked for."""

    month: str
    active_people: int


class BusinessView(View):
    """The figures of each day that was asked for, and of the months that these days belong to."""

    by_day: list[BusinessDay]
    by_month: list[BusinessMonth]


async def business_figures(call: Call, query: BusinessQuery) -> Document:
    """Return the figures of the days that *query* asks for; raises InvalidError."""
    first, last = query.days(datetime.now(UTC).date())
    return await call.read(lambda q: q.business.figures(first, last), large=True)


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _invalid(name, f"{name} is no day: write one, such as 2026-01-31") from error


def _invalid(name: str, sentence: str) -> InvalidError:
    return InvalidError(sentence, code="invalid_input", pointer=f"/{name}")

"""The settings of Sentry, under the names that Sentry gives them."""

import math

from msgspec import Struct

from commands.environment import Environment, SettingsError, check_scheme

DSN = "SENTRY_DSN"
_ENVIRONMENT = "SENTRY_ENVIRONMENT"
_TRACES = "SENTRY_TRACES_SAMPLE_RATE"


class SentrySettings(Struct, frozen=True):
    """Where errors are reported: *dsn*, the name of this *environment*, and the share of requests."""

    dsn: str
    environment: str | None = None
    traces_sample_rate: float = 0.0


def read_sentry_settings(environment: Environment) -> SentrySettings | None:
    """Read the settings; None where nothing is reported. Raises SettingsError."""
    dsn = environment.text_or_file(DSN)
    check_scheme(DSN, dsn, ("https://", "http://"))
    rate = _rate(environment.text(_TRACES))
    return None if dsn is None else SentrySettings(dsn, environment.text(_ENVIRONMENT), rate)


def _rate(text: str | None) -> float:
    try:
        rate = float(text or 0)
    except ValueError:
        rate = math.nan
    if not 0 <= rate <= 1:
        raise SettingsError(f"{_TRACES} is {text!r}; it takes a share from 0 to 1")
    return rate

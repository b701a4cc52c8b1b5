"""The times of public messages: exact ones would lead to the same event in a history that names people."""

_MINUTE_MS = 60_000
_DAY_MS = 24 * 60 * _MINUTE_MS


def public_time(occurred_at: int, *, of_account: bool) -> int:
    """Return a time in milliseconds, rounded down to the minute; for events of accounts, to the day."""
    return occurred_at - occurred_at % (_DAY_MS if of_account else _MINUTE_MS)

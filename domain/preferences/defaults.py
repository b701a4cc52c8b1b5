"""How a new account hears of news."""

from domain.preferences.events import MailTime, Preference, Preferences

BY_MAIL = Preference(live=True, mail=MailTime.HOURLY)
LIVE_ALONE = Preference(live=True, mail=MailTime.OFF)

DEFAULTS = Preferences(
    mentioned=BY_MAIL,
    review_requested=BY_MAIL,
    review_decided=LIVE_ALONE,
    build_finished=LIVE_ALONE,
    announcement=LIVE_ALONE,
    role_changed=LIVE_ALONE,
    weekly_report=True,
)

"""The read models, each a pure projector with its collections."""

from projections.model import ReadModel
from projections.models import (
    accounts,
    activity,
    announcements,
    builds,
    business,
    commits,
    files,
    mail,
    notifications,
    projects,
    reviews,
    sessions,
    suggestions,
    tokens,
)

READ_MODELS: tuple[ReadModel, ...] = (
    projects.MODEL,
    accounts.MODEL,
    files.MODEL,
    commits.MODEL,
    reviews.MODEL,
    builds.MODEL,
    announcements.MODEL,
    notifications.MODEL,
    activity.MODEL,
    suggestions.MODEL,
    sessions.MODEL,
    tokens.MODEL,
    mail.MODEL,
    business.MODEL,
)
"""The models that need only events; the insights need an analyser as well."""

"""The event of feedback."""

from domain.event import Event, Personal


class FeedbackGiven(
    Event,
    topic="feedback.given",
    version=1,
    subject="author_id",
    withheld="is written to those who run the platform, and to nobody else",
):
    """Somebody wrote to those who run the platform; *request_id* is that of the request that it is about."""

    feedback_id: str
    author_id: str
    message: Personal[str]
    request_id: Personal[str | None]

"""The events of suggestions."""

from domain.event import Event


class SuggestionAccepted(Event, topic="suggestion.accepted", version=1):
    """Somebody accepted the suggestion as useful."""

    project_id: str
    suggestion_id: str


class SuggestionDismissed(Event, topic="suggestion.dismissed", version=1):
    """Somebody dismissed the suggestion: it is not shown again."""

    project_id: str
    suggestion_id: str


SuggestionEvent = SuggestionAccepted | SuggestionDismissed

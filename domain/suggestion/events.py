"""What happens to suggestions."""

from domain.event import Event


class SuggestionAccepted(Event, topic="suggestion.accepted", version=1):
    """Somebody found the suggestion useful."""

    project_id: str
    suggestion_id: str


class SuggestionDismissed(Event, topic="suggestion.dismissed", version=1):
    """Somebody wants to see the suggestion no more."""

    project_id: str
    suggestion_id: str


SuggestionEvent = SuggestionAccepted | SuggestionDismissed

"""What may be asked of suggestions."""

from domain.command import Command


class AcceptSuggestion(Command, tag="suggestion.accept"):
    """Say that the suggestion is useful."""

    project_id: str
    suggestion_id: str


class DismissSuggestion(Command, tag="suggestion.dismiss"):
    """Say that the suggestion shall not be shown again."""

    project_id: str
    suggestion_id: str


SuggestionCommand = AcceptSuggestion | DismissSuggestion

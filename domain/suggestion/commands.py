"""What may be asked of suggestions."""

from domain.command import Command
from domain.policy import ProjectRole, member


class AcceptSuggestion(Command, tag="suggestion.accept", rule=member(ProjectRole.EDITOR)):
    """Say that the suggestion is useful."""

    project_id: str
    suggestion_id: str


class DismissSuggestion(Command, tag="suggestion.dismiss", rule=member(ProjectRole.EDITOR)):
    """Say that the suggestion shall not be shown again."""

    project_id: str
    suggestion_id: str


SuggestionCommand = AcceptSuggestion | DismissSuggestion

"""The commands of suggestions."""

from domain.command import Command
from domain.policy import ProjectRole, member


class AcceptSuggestion(Command, tag="suggestion.accept", rule=member(ProjectRole.EDITOR)):
    """Accept the suggestion: it is useful."""

    project_id: str
    suggestion_id: str


class DismissSuggestion(Command, tag="suggestion.dismiss", rule=member(ProjectRole.EDITOR)):
    """Dismiss the suggestion: it is not shown again."""

    project_id: str
    suggestion_id: str


SuggestionCommand = AcceptSuggestion | DismissSuggestion

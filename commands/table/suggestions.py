"""Commands that accept or dismiss a suggestion."""

from commands.table.fields import Id, Input
from commands.table.handler import Handler, loads_project, project_home, within_project
from commands.table.row import BuildContext, ClientCommandRow
from domain.identifiers import suggestion_stream
from domain.suggestion.commands import AcceptSuggestion, DismissSuggestion, SuggestionCommand
from domain.suggestion.decider import decide


class SuggestionReference(Input):
    """A suggestion, by its id."""

    suggestion_id: Id


def _accept(data: SuggestionReference, context: BuildContext) -> AcceptSuggestion:
    return AcceptSuggestion(project_id=context.target, suggestion_id=data.suggestion_id)


def _dismiss(data: SuggestionReference, context: BuildContext) -> DismissSuggestion:
    return DismissSuggestion(project_id=context.target, suggestion_id=data.suggestion_id)


def _stream(command: SuggestionCommand) -> str:
    return suggestion_stream(command.project_id, command.suggestion_id)


_HANDLER = Handler(home=project_home, stream=_stream, run=within_project(decide), also_loads=loads_project)

ROWS = (
    ClientCommandRow(AcceptSuggestion, _HANDLER, SuggestionReference, _accept),
    ClientCommandRow(DismissSuggestion, _HANDLER, SuggestionReference, _dismiss),
)

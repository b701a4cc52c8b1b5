import pytest

from domain.suggestion import decider
from domain.suggestion.commands import AcceptSuggestion, DismissSuggestion
from domain.suggestion.events import SuggestionAccepted, SuggestionDismissed
from tests.unit.domain.people import EDITOR, PRIVATE, PROJECT_ID, STRANGER, VIEWER
from tests.unit.domain.scenario import given

ID = {"project_id": PROJECT_ID, "suggestion_id": "s1"}
ACCEPT, DISMISS = AcceptSuggestion(**ID), DismissSuggestion(**ID)
ACCEPTED, DISMISSED = SuggestionAccepted(**ID), SuggestionDismissed(**ID)


def suggestion(*events):
    return given(decider, *events, project=PRIVATE)


def test_accept_and_dismiss():
    suggestion().when(ACCEPT, EDITOR).then(ACCEPTED)
    suggestion().when(DISMISS, EDITOR).then(DISMISSED)


def test_say_the_same_again():
    suggestion(ACCEPTED).when(ACCEPT, EDITOR).then()
    suggestion(DISMISSED).when(DISMISS, EDITOR).then()


def test_change_ones_mind():
    suggestion(ACCEPTED).when(DISMISS, EDITOR).then(DISMISSED)
    suggestion(ACCEPTED, DISMISSED).when(ACCEPT, EDITOR).then(ACCEPTED)


@pytest.mark.parametrize("command", [ACCEPT, DISMISS])
def test_it_needs_an_editor(command):
    suggestion().when(command, VIEWER).refused("role_required")
    suggestion().when(command, STRANGER).refused("project_not_found")


@pytest.mark.parametrize("suggestion_id", ["", "s" * 101, "a\nb"])
def test_a_bad_id(suggestion_id):
    command = AcceptSuggestion(project_id=PROJECT_ID, suggestion_id=suggestion_id)
    suggestion().when(command, EDITOR).refused("invalid", "/suggestionId")

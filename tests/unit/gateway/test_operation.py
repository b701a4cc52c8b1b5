"""A declaration that names what does not exist fails where it is written: at import."""

import pytest

from read_api.gateway.answers import Answer
from read_api.gateway.operation import DeclarationError, Operations
from read_api.graphql.arguments import Arguments
from read_api.graphql.roots import NoArguments, Roots, Streams


async def handler(call) -> Answer:
    """Answer nothing. What follows is not the summary."""
    return Answer()


def declared(*arguments, **fields):
    operations = Operations("Test")
    operations(*arguments, **fields)(handler)
    return operations.all[0]


def test_the_action_must_be_in_the_policy():
    with pytest.raises(DeclarationError, match=r"project\.reed"):
        Operations("Test")("GET", "/x", "project.reed")


def test_a_command_must_exist_under_the_name_of_its_action_or_its_own():
    with pytest.raises(DeclarationError, match=r"collaborator\.leave"):
        Operations("Test")("DELETE", "/x", "collaborator.leave", command=True)
    with pytest.raises(DeclarationError, match=r"collaborator\.removed"):
        Operations("Test")(
            "DELETE", "/x", "collaborator.leave", command_type="collaborator.removed", command=True
        )


def test_a_command_is_named_once():
    assert declared("PUT", "/x", "file.write", command=True).command_type == "file.write"
    removal = declared("DELETE", "/x", "collaborator.leave", command_type="collaborator.remove", command=True)
    assert (removal.action, removal.command_type) == ("collaborator.leave", "collaborator.remove")
    assert declared("GET", "/x", "project.read").command_type == ""


def test_the_first_line_of_the_docstring_is_the_summary():
    assert declared("GET", "/x", "project.read").summary == "Answer nothing. What follows is not the summary."


@pytest.mark.parametrize("roots", [Roots, Streams])
def test_the_action_of_a_root_field_must_be_in_the_policy(roots):
    with pytest.raises(DeclarationError, match=r"project\.reed"):
        roots()("projects", None, "project.reed", Arguments(NoArguments))

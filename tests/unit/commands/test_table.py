"""The command table: one row for each command, with a builder, a handler and a rule."""

import inspect
from itertools import chain

import msgspec
import pytest
from msgspec import structs

import domain.identifiers
from commands.aggregates import STREAM_KINDS, kind_name
from commands.table import dispatch, registry
from commands.table.fields import Input
from commands.table.handler import Handler
from commands.table.registry import CLIENT_COMMANDS, COMMAND_TABLE
from commands.table.row import ClientCommandRow, CommandRow
from domain.identifiers import ACCOUNTS_HOME, SIGNING_STREAM, account_stream, file_stream, project_stream
from domain.policy import POLICY
from domain.registry import COMMANDS
from tests.golden_files import value_of
from tests.unit.commands.samples import NEW, OTHER, PROJECT, context, example_of

INTERNAL = {
    "account.register",
    "account.change_profile",
    "account.verify",
    "account.change_standing",
    "account.erase",
    "credentials.change_password",
    "credentials.rehash_password",
    "credentials.revoke_sessions",
    "credentials.prepare_totp",
    "credentials.enable_totp",
    "credentials.disable_totp",
    "credentials.use_totp",
    "credentials.use_recovery_code",
    "session.open",
    "session.refresh",
    "session.end",
    "token.create",
    "token.revoke",
    "token.record_operator",
    "erasure.erase_traces",
    "erasure.complete",
    "signing.rotate",
    "mail.record",
}
"""The commands that only the server builds: secrets, hashes and proofs go into them."""


def test_every_command_has_one_row():
    rows = [row.command for row in COMMAND_TABLE.values()]
    assert set(rows) == set(COMMANDS)
    assert len(rows) == len(COMMANDS)


def test_callers_send_every_command_that_is_not_internal():
    assert COMMAND_TABLE.keys() - CLIENT_COMMANDS.keys() == INTERNAL


def test_two_rows_for_one_command_are_refused():
    row = COMMAND_TABLE["file.write"]
    with pytest.raises(TypeError, match=r"two rows .* file\.write"):
        registry._by_name((row, CommandRow(row.command, row.handler)))


@pytest.mark.parametrize("name", COMMAND_TABLE)
def test_a_row_has_the_name_and_the_action_of_its_command(name):
    row = COMMAND_TABLE[name]
    assert row.name == row.action == row.command.NAME == name
    assert row.action in POLICY
    assert isinstance(row.handler, Handler)


@pytest.mark.parametrize("name", CLIENT_COMMANDS)
def test_a_builder_makes_its_command_of_its_input(name):
    row = CLIENT_COMMANDS[name]
    assert isinstance(row, ClientCommandRow)
    assert issubclass(row.input, Input)
    data = msgspec.json.decode(msgspec.json.encode(example_of(name)), type=row.input)
    command = row.build(data, context())
    assert type(command) is row.command
    assert (getattr(command, "project_id", None) == PROJECT) == row.targeted
    assert msgspec.convert(msgspec.to_builtins(command), row.command) == command


@pytest.mark.parametrize("name", CLIENT_COMMANDS)
def test_every_required_field_of_an_input_has_an_example(name):
    required = {field.encode_name for field in structs.fields(CLIENT_COMMANDS[name].input) if field.required}
    assert required <= example_of(name).keys(), "add an example to tests/unit/commands/samples.py"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.NAME)
def test_a_handler_names_a_home_and_streams_that_have_a_kind(command):
    example = value_of(command)
    home, stream = dispatch.home_of(example), dispatch.stream_of(example)
    assert isinstance(home, str)
    assert home
    touched = list(dispatch.touched_streams(example))
    assert touched[0] == stream
    assert len(set(touched)) == len(touched)
    looked_at = list(dispatch.looked_at(example))
    for name in (*touched, *(other for _, other in looked_at)):
        assert kind_name(name) in STREAM_KINDS, name
    assert all(other_home != home for other_home, _ in looked_at)


def test_every_kind_of_stream_can_be_named():
    """Each function of `domain.identifiers` that names a stream has a kind, and each kind such a function."""
    functions = [
        function
        for name, function in inspect.getmembers(domain.identifiers, callable)
        if name.endswith("_stream")
    ]
    named = {
        kind_name(function(*["x"] * len(inspect.signature(function).parameters))) for function in functions
    }
    assert named | {kind_name(SIGNING_STREAM)} == STREAM_KINDS.keys()


def test_what_belongs_to_a_project_is_at_home_there():
    for name, row in CLIENT_COMMANDS.items():
        if row.targeted:
            example = value_of(row.command)
            assert dispatch.home_of(example) == example.project_id, name
            assert project_stream(example.project_id) in dispatch.touched_streams(example)


def test_accounts_and_what_they_sign_in_with_have_one_home():
    homes = {name: dispatch.home_of(value_of(COMMAND_TABLE[name].command)) for name in INTERNAL}
    assert {name for name, home in homes.items() if home != ACCOUNTS_HOME} == {
        "erasure.erase_traces",
        "mail.record",
    }


def test_a_commit_loads_the_files_that_it_changes():
    row = CLIENT_COMMANDS["commit.record"]
    command = row.build(msgspec.convert(example_of("commit.record"), row.input), context())
    assert list(chain(dispatch.touched_streams(command)))[1:] == [
        project_stream(PROJECT),
        file_stream(PROJECT, "a.py"),
    ]


def test_a_collaborators_account_is_looked_at():
    row = CLIENT_COMMANDS["collaborator.set"]
    command = row.build(msgspec.convert(example_of("collaborator.set"), row.input), context())
    assert list(dispatch.looked_at(command)) == [(ACCOUNTS_HOME, account_stream(OTHER))]


def test_builders_fill_in_what_deciders_cannot_know():
    built = {
        name: row.build(msgspec.convert(example_of(name), row.input), context())
        for name, row in CLIENT_COMMANDS.items()
    }
    assert built["project.create"].project_id == NEW
    assert built["review.open"].mentions == built["review.comment"].mentions == (OTHER,)
    assert built["commit.record"].author_id.startswith("author-")
    assert "ada" not in built["commit.record"].author_id
    assert built["project.update"].changes == {"name": "Garden", "language": None}


def test_a_commit_without_a_name_gets_one_from_its_id():
    row = CLIENT_COMMANDS["commit.record"]
    data = msgspec.convert({**example_of("commit.record"), "sha": None}, row.input)
    assert row.build(data, context()).sha == NEW.replace("-", "") + "0" * 8

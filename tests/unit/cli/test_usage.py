"""What the command line offers, and how it refuses arguments that it cannot read."""

import importlib
import subprocess
import sys

import pytest

from codepark.cli.failures import FAILURES, CommandError, sentence
from commands.environment import SettingsError
from domain.errors import NotFoundError
from tests.support.time_scale import stretched

cli = importlib.import_module("codepark.cli.main")  # its package has a function of this name
COMMANDS = {
    "serve",
    "token",
    "import-git",
    "rebuild",
    "worker",
    "topics",
    "migrate",
    "doctor",
    "account",
    "keys",
    "events",
    "dead-letters",
}


def test_help_names_every_command(run):
    ended = run("--help")
    assert ended.status == 0
    assert {name for name in COMMANDS if name in ended.output} == COMMANDS


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(run, command):
    ended = run(command, "--help")
    assert ended.status == 0
    assert f"Usage: codepark {command}" in ended.output


def test_the_version_is_that_of_the_package(run):
    assert run("--version").output.strip() == "0.1.0"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nonsense"], 'Unknown command "nonsense"'),
        (["serve", "--port", "abc"], "Invalid value for --port"),
        (["serve", "--bogus"], "Unknown option: --bogus"),
        (["token", "--role", "king"], 'Invalid value "king" for --role'),
        (["events", "tail", "--count", "x"], "Invalid value for --count"),
        (["account", "set"], "requires an argument"),
        (["rebuild"], "requires an argument"),
        (["import-git"], "requires an argument"),
        (["migrate", "rollback", "x"], "Invalid value for COUNT"),
    ],
)
def test_arguments_that_cannot_be_read_end_with_status_2(run, arguments, reason):
    ended = run(*arguments)
    assert ended.status == 2
    assert reason in ended.errors
    assert "Traceback" not in ended.errors


def test_a_fault_that_is_none_of_the_known_ones_is_not_hidden(run, monkeypatch):
    def broken(_arguments: object) -> None:
        raise LookupError("a fault of ours")

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(LookupError):
        run("doctor")


def test_an_interrupt_ends_with_the_status_of_the_signal(run, monkeypatch):
    def interrupted(_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    assert run("doctor").status == 130


def test_a_reader_that_closes_early_is_no_failure():
    """`codepark --help | head -1`: the status is that of a broken pipe, without a traceback."""
    program = "import sys; from codepark.cli import main; sys.argv = ['codepark', '--help']; main()"
    with subprocess.Popen(
        [sys.executable, "-c", "import os; os.close(0)"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as reader:
        reader.wait(stretched(20))
        command = subprocess.run(
            [sys.executable, "-c", program],
            stdout=reader.stdin,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "Traceback" not in command.stderr


def test_each_failure_becomes_a_sentence():
    assert sentence(NotFoundError("there is none", code="x")) == "there is none"
    assert sentence(CommandError("do it otherwise")) == "do it otherwise"
    assert SettingsError in FAILURES

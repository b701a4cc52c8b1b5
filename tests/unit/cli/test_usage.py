"""What the command line offers, and how it refuses arguments that it cannot read."""

import importlib
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from cyclopts.completion.detect import ShellDetectionError

from codepark.cli import completion
from codepark.cli.failures import FAILURES, CommandError, sentence
from commands.environment import SettingsError
from domain.errors import NotFoundError
from tests.support.time_scale import stretched

cli = importlib.import_module("codepark.cli.main")  # its package has a function of this name
ROOT = Path(__file__).parents[3]
_WITHOUT_EXTRAS = """
import sys

class Missing:
    packages = {"bson", "pymongo", "aiokafka", "faust", "graphene", "graphql", "aiodataloader"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from codepark.cli import main
main()
"""
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
        (["serve", "--bogus"], "Unknown option: --bogus"),
        (["serve", "--port", "abc"], "--port is abc; it takes a whole number"),
        (["serve", "--port"], "--port needs a value: see `codepark serve --help`"),
        (["serve", "a", "b"], "there is no argument 'a b' here: see `codepark serve --help`"),
        (["serve", "--demo=maybe"], "--demo is maybe; it takes true or false"),
        (["token", "--role", "king"], 'Invalid value "king" for --role. Choose from: "user", "admin",'),
        (["events", "tail", "--count", "x"], "--count is x; it takes a whole number"),
        (["events", "export", "--after", "x"], "--after is x; it takes a whole number"),
        (["account", "set"], "`codepark account set` needs EMAIL: see `codepark account set --help`"),
        (["rebuild"], "`codepark rebuild` needs READ-MODEL"),
        (["import-git"], "`codepark import-git` needs PATH"),
        (["migrate", "rollback", "x"], "COUNT is x; it takes a whole number"),
    ],
)
def test_arguments_that_cannot_be_read_end_with_status_2(run, arguments, reason):
    ended = run(*arguments)
    assert ended.status == 2
    assert ended.errors.startswith(f"codepark: {reason}")
    assert ended.errors.count("\n") == 1


def test_a_fault_that_is_none_of_the_known_ones_is_a_sentence_that_says_where_the_details_are(
    run, monkeypatch, tmp_path
):
    def broken(_arguments: object) -> None:
        raise LookupError("a fault of ours\nwith a second line")

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    sentence = run("doctor").sentence
    assert sentence.startswith(
        "something unexpected happened (LookupError: a fault of ours); the details are in "
    )
    (details,) = tmp_path.glob("codepark-*.txt")
    assert sentence.endswith(str(details))
    assert "Traceback" in details.read_text()
    assert "with a second line" in details.read_text()
    assert stat.S_IMODE(details.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["serv"], 2, 'Did you mean "serve"?'),
        (["events", "tial"], 2, 'Did you mean "tail"?'),
        (["migrate", "--help"], 0, "Usage: codepark migrate"),
        (["worker", "--help"], 0, "Usage: codepark worker"),
        (["topics", "--help"], 0, "Usage: codepark topics"),
        (["migrate", "create", "a name"], 1, "this needs the extra `cluster`: install it with pip install"),
        (["migrate", "apply", "--uri", "mongodb://127.0.0.1:1/"], 1, "this needs the extra `cluster`"),
    ],
)
def test_without_the_extras_a_command_helps_and_says_which_one_it_needs(tmp_path, arguments, status, text):
    """In a process in which the packages of the extras cannot be imported."""
    ended = subprocess.run(
        [sys.executable, "-c", _WITHOUT_EXTRAS, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        timeout=stretched(60),
    )
    assert ended.returncode == status, ended
    assert text in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_an_unknown_option_of_any_command_ends_with_status_2(run, command):
    ended = run(command, "--no-such-option")
    assert (ended.status, ended.output) == (2, "")
    assert "Traceback" not in ended.errors


@pytest.mark.parametrize(
    "arguments",
    [
        ["token"],
        ["rebuild", "projects"],
        ["doctor"],
        ["doctor", "--json"],
        ["account", "set", "ada@example.org", "--tier", "pro"],
        ["keys", "rotate-signing"],
        ["keys", "rotate-master"],
        ["events", "tail"],
        ["events", "export"],
        ["dead-letters", "list"],
        ["dead-letters", "retry"],
        ["migrate", "status"],
    ],
)
def test_a_folder_that_is_no_installation_ends_every_command_with_status_1_and_stays_as_it_is(
    run, tmp_path, arguments
):
    (tmp_path / "something").touch()
    for folder in (tmp_path, tmp_path / "missing"):
        ended = run(*arguments, "--data", folder)
        assert (ended.status, ended.output) == (1, "")
        assert f"codepark: {folder} is no data directory" in ended.errors
    assert [path.name for path in tmp_path.iterdir()] == ["something"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--port", "70000"],
        ["serve", "--port", "-1"],
        ["serve", "--workers", "0"],
        ["events", "tail", "--count", "-3"],
        ["migrate", "rollback", "0", "--uri", "mongodb://127.0.0.1:1/"],
        ["--show-completion", "tcsh"],
    ],
)
def test_a_value_that_cannot_be_used_ends_with_status_2(run, arguments):
    ended = run(*arguments)
    assert (ended.status, ended.output) == (2, "")
    assert "Traceback" not in ended.errors


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_the_script_knows_commands_and_options(self, run, shell):
        ended = run("--show-completion", shell)
        assert ended.status == 0
        assert all(text in ended.output for text in ("codepark", "serve", "dead-letters", "workers"))

    def test_it_is_installed_where_the_shell_looks(self, run, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("XDG_DATA_HOME", raising=False)
        ended = run("--install-completion", "bash")
        assert ended.status == 0
        path = Path(ended.output.removeprefix("the completion is in ").partition(":")[0])
        assert tmp_path in path.parents
        assert "serve" in path.read_text()

    def test_a_shell_that_is_not_known_is_asked_for(self, run, monkeypatch):
        def unknown():
            raise ShellDetectionError

        monkeypatch.setattr(completion, "detect_shell", unknown)
        ended = run("--show-completion")
        assert (ended.status, ended.sentence) == (2, "which shell? Name one: bash, zsh or fish")


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

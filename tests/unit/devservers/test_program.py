"""A program is started, waited for and ended; where its start fails, no process of it is left."""

import signal
import sys

import psutil
import pytest

from devservers.errors import ServerError
from devservers.processes import Identity, wait_for
from devservers.program import Program
from tests.support.time_scale import stretched

UP = "import time; print('up', flush=True); time.sleep(60)"
IGNORES_SIGTERM = (
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)


class Script(Program):
    """A program in Python that is ready once it has printed something."""

    ready_seconds = 20.0
    stop_seconds = 10.0

    def __init__(self, folder, script=UP, **variables):
        super().__init__("script", folder / "output.log")
        self.script = script
        self.given = variables

    def answers(self):
        return self.printed != ""

    def _command(self):
        return [sys.executable, "-c", self.script]

    @property
    def variables(self):
        return {"PYTHONUNBUFFERED": "1", **self.given}


class Silent(Script):
    """A program that runs and never answers."""

    ready_seconds = 0.3

    def answers(self):
        return False


@pytest.fixture
def script(tmp_path):
    program = Script(tmp_path)
    yield program
    program.kill()


def processes_of(program):
    """Return the processes that run the program's script now."""
    running = psutil.process_iter(["cmdline"])
    return [process for process in running if program.script in (process.info["cmdline"] or [])]


def test_a_program_runs_until_it_is_stopped(script):
    assert not script.running
    assert script.start() is script
    assert script.running
    assert script.exit_code is None
    assert script.stop() == -signal.SIGTERM
    assert not script.running


def test_a_program_is_a_context(script):
    with script as running:
        assert running.pid == script.identity.pid
    assert script.exit_code == -signal.SIGTERM


def test_a_program_that_never_answers_leaves_no_process(tmp_path):
    program = Silent(tmp_path, f"# {tmp_path}\n{UP}")
    with pytest.raises(ServerError, match=r"script did not answer within 0 s: (up|it printed nothing)"):
        program.start()
    assert not program.running
    assert processes_of(program) == []


def test_a_program_that_ends_says_with_which_words(tmp_path):
    program = Script(tmp_path, "raise SystemExit('no such table')")
    program.answers = lambda: False
    with pytest.raises(ServerError, match="script ended: no such table"):
        program.start()
    assert program.exit_code == 1


def test_a_start_that_is_interrupted_leaves_no_process(tmp_path):
    program = Script(tmp_path, f"# {tmp_path}\n{UP}")

    def interrupted():
        raise KeyboardInterrupt

    program.answers = interrupted
    with pytest.raises(KeyboardInterrupt):
        program.start()
    assert processes_of(program) == []


def test_a_program_cannot_be_started_twice(script):
    script.start()
    with pytest.raises(ServerError, match="script runs already"):
        script.launch()
    assert script.running


def test_a_program_that_was_not_started_has_no_process(script):
    with pytest.raises(ServerError, match="script was not started"):
        _ = script.pid
    with pytest.raises(ServerError, match="script was not started here"):
        script.ended()
    assert script.stop() is None
    script.kill()


def test_a_program_that_ignores_the_signal_is_killed(tmp_path):
    program = Script(tmp_path, IGNORES_SIGTERM)
    program.start()
    program.stop_seconds = 0.3
    assert program.stop() == -signal.SIGKILL


def test_the_end_of_a_program_can_be_waited_for(tmp_path):
    program = Script(tmp_path, "raise SystemExit(3)")
    program.launch()
    assert program.ended(stretched(20)) == 3


def test_a_program_that_runs_on_has_not_ended(script):
    script.start()
    with pytest.raises(ServerError, match="script did not end within"):
        script.ended(0.1)


def test_a_program_is_paused_and_continues(script):
    script.start()
    script.pause()
    process = psutil.Process(script.pid)
    assert wait_for(lambda: process.status() == psutil.STATUS_STOPPED, stretched(10))
    assert script.running
    script.resume()
    assert wait_for(lambda: process.status() != psutil.STATUS_STOPPED, stretched(10))


def test_a_restart_is_another_process(script):
    first = script.start().identity
    assert script.restart().identity != first
    assert not first.alive()


def test_a_process_that_runs_already_is_adopted(script, tmp_path):
    script.start()
    other = Script(tmp_path).adopt(Identity.of(script.pid))
    assert other.running
    assert other.exit_code is None
    other.stop()
    assert script.ended() == -signal.SIGTERM


def test_the_variables_are_those_of_the_program_alone(tmp_path):
    program = Script(
        tmp_path, "import os; print(os.environ.get('GIVEN'), os.environ.get('HOME'))", GIVEN="yes"
    )
    program.launch()
    program.ended(stretched(20))
    assert program.printed == "yes None\n"


def test_without_a_question_a_program_answers_while_it_runs(script):
    assert not Program.answers(script)
    script.start()
    assert Program.answers(script)

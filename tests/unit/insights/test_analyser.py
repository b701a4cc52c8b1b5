import os
import select
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from insights.analyser import AnalyserUnavailableError, ProcessAnalyser
from insights.report import ANALYSED_BYTES, LeftOut, empty_report
from insights.request import Analysis
from tests.support.inline_analyser import InlineAnalyser
from tests.support.time_scale import stretched

SMALL = ("small.py", "def f(a):\n    return a or 1\n")
FILES = [
    SMALL,
    ("a.js", "function g(a, b) {\n  return a && b;\n}\n"),
    ("notes.txt", "def f(): pass"),
    ("empty.py", ""),
    ("lone.py", "def f():\n    return '\udc80'\n"),
    ("lone-\udc80.py", "def f():\n    pass\n"),
    ("large.py", "#" * (ANALYSED_BYTES + 1)),
    ("wide.py", "def f():\n    pass\n" + ("#" * 300 + "\n") * 3_000),
    ("many.py", "def f():\n    pass\n" * 20_000),
]
# Comments that never end: the library's expression needs a time quadratic in them, minutes here.
SLOW = ("slow.c", "/*\n" * 33_000)


@pytest.fixture
def analyser():
    analyser = ProcessAnalyser(seconds=stretched(100))
    yield analyser
    analyser.close()


def reports(analyser, files):
    return [analyser.analyse(path, content).report for path, content in files]


def inline(files):
    return reports(InlineAnalyser(), files)


def ended(pid, timeout_ms=30_000):
    """Wait for the end of a process that need not be our child; its handle is readable from then on."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(stretched(timeout_ms)))
    finally:
        os.close(handle)


def test_both_adapters_agree(analyser):
    assert reports(analyser, FILES) == inline(FILES)


def test_nothing_is_started_before_the_first_file():
    analyser = ProcessAnalyser()
    assert reports(analyser, []) == []
    assert analyser._child is None
    analyser.close()


def test_one_child_serves_many_files(analyser):
    reports(analyser, FILES)
    first = analyser._child.pid
    reports(analyser, FILES)
    assert analyser._child.pid == first != os.getpid()


def test_threads_take_turns(analyser):
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: reports(analyser, FILES[:6]), range(8)))
    assert results == [inline(FILES[:6])] * 8


def test_close_ends_the_child_and_refuses_more():
    analyser = ProcessAnalyser()
    reports(analyser, [SMALL])
    process = analyser._child._process
    analyser.close()
    analyser.close()
    assert process.returncode == -signal.SIGKILL
    with pytest.raises(AnalyserUnavailableError, match="closed"):
        reports(analyser, [SMALL])


def test_close_interrupts_a_slow_file():
    analyser = ProcessAnalyser(seconds=stretched(100))
    reports(analyser, [SMALL])
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(analyser.analyse, *SLOW)
        analyser.close()
        with pytest.raises(AnalyserUnavailableError, match="closed"):
            answer.result()


def test_a_killed_child_is_replaced_without_loss(analyser):
    reports(analyser, [SMALL])
    analyser._child.kill()
    analyser._child._process.wait()
    assert reports(analyser, [SMALL]) == inline([SMALL])


def test_a_stopped_child_is_replaced(analyser):
    reports(analyser, [SMALL])
    analyser._child._seconds = 0.2
    os.kill(analyser._child.pid, signal.SIGSTOP)
    wide = (
        "wide.py",
        ("#" * 300 + "\n") * 3_000,
    )  # more than the pipe holds: writing must have a deadline as well
    assert reports(analyser, [wide]) == [empty_report(wide[1], LeftOut.TOO_SLOW)]
    assert reports(analyser, [SMALL])[0].function_count == 1


def test_a_slow_file_is_given_up_and_the_next_one_is_not(analyser):
    analyser._seconds = 0.2
    given_up = analyser.analyse(*SLOW)
    analyser._seconds = stretched(100.0)
    assert given_up == Analysis(empty_report(SLOW[1], LeftOut.TOO_SLOW), 0.2)
    assert reports(analyser, [SMALL]) == inline([SMALL])


def test_an_interrupted_exchange_is_not_answered_to_the_next_file(analyser, monkeypatch):
    reports(analyser, [SMALL])

    def interrupt(deadline):
        raise KeyboardInterrupt

    monkeypatch.setattr(analyser._child, "_read_frame", interrupt)
    with pytest.raises(KeyboardInterrupt):
        reports(analyser, [SMALL])
    assert reports(analyser, [("notes.txt", "")]) == [empty_report("")]


def test_a_child_that_cannot_start_is_an_error_not_an_empty_report(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    analyser = ProcessAnalyser()
    with pytest.raises(AnalyserUnavailableError, match="start"):
        reports(analyser, [SMALL])
    monkeypatch.undo()
    assert reports(analyser, [SMALL])[0].function_count == 1
    analyser.close()


def test_the_child_is_polite_and_ignores_the_keyboard(analyser):
    reports(analyser, [SMALL])
    pid = analyser._child.pid
    os.kill(pid, signal.SIGINT)
    reports(analyser, [SMALL])
    assert analyser._child.pid == pid
    assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


def test_a_killed_parent_leaves_no_orphan():
    program = (
        "from insights.analyser import ProcessAnalyser\n"
        "analyser = ProcessAnalyser()\n"
        "analyser.analyse('a.py', 'x = 1')\n"
        "print(f'pid {analyser._child.pid}', flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        text=True,
    ) as parent:
        line = next(line for line in parent.stdout if line.startswith("pid "))  # after what was logged
        child = int(line.removeprefix("pid "))
        parent.kill()
    assert ended(child)


def test_files_beside_the_program_are_not_run(tmp_path, monkeypatch):
    (tmp_path / "lizard.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    analyser = ProcessAnalyser()
    assert reports(analyser, [SMALL])[0].function_count == 1
    analyser.close()

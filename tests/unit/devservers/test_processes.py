"""Processes are known by more than their number, and end with the process that started them."""

import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devservers.processes import Identity, reaped, spawn, wait_for
from tests.support.time_scale import stretched

EXIT = {"x86_64": 60, "aarch64": 93} if sys.platform == "linux" else {}
SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


@pytest.fixture
def sleeper(tmp_path):
    process = spawn(SLEEPER, output=tmp_path / "out", attached=True)
    assert wait_for(lambda: "up" in (tmp_path / "out").read_text(), stretched(20))
    yield process
    process.kill()
    process.wait(stretched(10))


def test_a_process_is_known_by_its_number_and_its_birth(sleeper):
    identity = Identity.of(sleeper.pid)
    assert identity == Identity.of(sleeper.pid)
    assert identity.alive()
    assert not Identity(sleeper.pid, "another birth").alive()


def test_a_signal_does_not_reach_a_later_process_of_the_same_number(sleeper):
    earlier = Identity(sleeper.pid, "an earlier birth")
    assert not earlier.signal(signal.SIGKILL)
    assert earlier.end(1)
    assert sleeper.poll() is None


def test_a_process_that_waits_to_be_reaped_has_ended(sleeper):
    identity = Identity.of(sleeper.pid)
    sleeper.kill()
    assert wait_for(lambda: not identity.alive(), stretched(10))
    assert Identity.of(sleeper.pid) is None
    assert not identity.signal(signal.SIGTERM)


@pytest.mark.skipif(
    platform.machine() not in EXIT, reason="the number of the system call exit is not known here"
)
def test_a_process_of_which_a_thread_still_ends_has_not_ended(tmp_path):
    """Its first thread is gone, and what the others hold, ports above all, is still taken."""
    program = (
        "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(60,)).start();"
        f"print('up', flush=True); ctypes.CDLL(None).syscall({EXIT[platform.machine()]}, 0)"
    )
    process = spawn([sys.executable, "-c", program], output=tmp_path / "out", attached=True)
    try:
        assert wait_for(lambda: ") Z" in Path(f"/proc/{process.pid}/stat").read_text(), stretched(20))
        identity = Identity.of(process.pid)
        assert identity is not None
        assert identity.alive()
    finally:
        process.kill()
        process.wait(stretched(10))
    assert not identity.alive()


def test_a_process_that_ignores_the_signal_is_killed(tmp_path):
    stubborn = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    process = spawn([sys.executable, "-c", stubborn], output=tmp_path / "out", attached=True)
    assert wait_for(lambda: "up" in (tmp_path / "out").read_text(), stretched(20))
    assert not reaped(process).end(0.2)
    assert process.wait(stretched(10)) == -signal.SIGKILL


def test_a_paused_process_ends_in_order(sleeper):
    sleeper.send_signal(signal.SIGSTOP)
    assert reaped(sleeper).end(stretched(10))
    assert sleeper.wait(stretched(10)) == -signal.SIGTERM


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_an_attached_process_ends_with_a_parent_that_is_killed(tmp_path):
    program = (
        "import sys; from pathlib import Path; from devservers.processes import spawn;"
        f"child = spawn(['sleep', '60'], output=Path({str(tmp_path / 'out')!r}), attached=True);"
        "print(child.pid, flush=True);"
        "sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    child = Identity.of(int(parent.stdout.readline()))
    assert child.alive()
    parent.kill()
    parent.communicate()
    assert wait_for(lambda: not child.alive(), stretched(10))


def test_a_child_that_ended_at_once_is_known_and_leaves(tmp_path):
    process = spawn(["true"], output=tmp_path / "out", attached=True)
    identity = reaped(process)
    assert wait_for(lambda: process.returncode == 0, stretched(10))
    assert not identity.alive()


def test_waiting_ends():
    assert wait_for(lambda: True, 0)
    assert not wait_for(lambda: False, 0.01)

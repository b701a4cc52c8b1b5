"""A child ends with its parent, however the parent ends."""

import signal
import subprocess
import sys

import psutil
import pytest

from devservers.processes import wait_for
from processes import parent_death
from processes.parent_death import ending_with_parent
from tests.support.time_scale import stretched

_PARENT = """
import signal, subprocess, sys
from processes.parent_death import ending_with_parent
child = subprocess.Popen(["sleep", "60"], preexec_fn=ending_with_parent(signal.SIGKILL))
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_child_ends_with_a_parent_that_is_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
    finally:
        parent.kill()
        parent.communicate()
    assert wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, stretched(10))


def test_where_the_kernel_cannot_do_it_there_is_nothing_to_call(monkeypatch):
    monkeypatch.setattr(parent_death, "_libc", None)
    assert ending_with_parent(signal.SIGTERM) is None

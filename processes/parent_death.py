"""End a child process with its parent, however the parent ends, where the kernel can do that (Linux)."""

import ctypes
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: nothing may be imported between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def ending_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that lets the child get signal *number* when its parent ends.

    None where the kernel cannot do that. "Parent" is the thread that forks: start the child from a thread
    that lives as long as the process.
    """
    if _libc is None:
        return None
    prctl = _libc.prctl

    def before_exec() -> None:
        prctl(_PR_SET_PDEATHSIG, number)

    return before_exec

"""Child processes that end with their parent, however that ends, where the kernel can do that (Linux)."""

import ctypes
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: nothing may be imported between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def ending_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return what a child calls before its program, so that it gets *number* when we end; None where it cannot."""
    if _libc is None:
        return None
    prctl = _libc.prctl

    def before() -> None:
        prctl(_PR_SET_PDEATHSIG, number)

    return before

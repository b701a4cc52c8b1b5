"""How each of our processes sets its interpreter."""

import ctypes
import gc
import sys
from contextlib import suppress

_SWITCH_SECONDS = 0.0005
_COLLECT_AFTER = (20_000, 50, 50)
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # of mallopt(3)
_OWN_PAGES_FROM = 512 * 1024
_ARENAS = 2


def prepare_interpreter() -> None:
    """Switch threads often, collect garbage seldom, and give the memory of large answers back.

    Call it once all modules are loaded.
    """
    # Several threads share the interpreter: at the default of 5 ms each hand-over costs a command that long.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # What is loaded now lives as long as the process: examining it in each collection costs requests time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    with suppress(OSError, AttributeError):  # another C library has ways of its own
        # glibc would keep the memory of large answers for more of them, in an arena for each thread.
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _OWN_PAGES_FROM)
        mallopt(_ARENA_MAX, _ARENAS)

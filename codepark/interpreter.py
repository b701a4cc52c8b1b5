"""How a process of ours sets its interpreter."""

import gc
import sys

_SWITCH_SECONDS = 0.0005
_COLLECT_AFTER = (20_000, 50, 50)


def prepare_interpreter() -> None:
    """Switch threads often and collect garbage seldom; call it once everything is loaded."""
    # Several threads share the interpreter; at the default of 5 ms each hand-over would cost a command that long.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # What was loaded so far lives as long as the process: looking through it again and again costs every request.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)

"""How each of our processes sets its interpreter."""

import gc
import sys

_SWITCH_SECONDS = 0.0005
_COLLECT_AFTER = (20_000, 50, 50)


def prepare_interpreter() -> None:
    """Switch threads often and collect garbage seldom; call it once all modules are loaded."""
    # Several threads share the interpreter: at the default of 5 ms each hand-over costs a command that long.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # What is loaded now lives as long as the process: examining it in each collection costs requests time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)

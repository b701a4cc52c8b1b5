"""Lock the analyser's process in: it parses text from strangers, and needs nothing but its two pipes.

Each limit is set by itself; `confine` returns those that the platform refuses.
"""

import ctypes
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Final

MEMORY_BYTES: Final = 768 * 1024 * 1024
"""The address space of the process: the interpreter and its library take a fifth of it."""

_INHERITED: Final = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_PR_SET_NO_NEW_PRIVS: Final = 38


def environment_of_child(environment: Mapping[str, str], root: str) -> dict[str, str]:
    """Return what the child needs of *environment* to start Python with the code in *root*; no secret."""
    kept = {name: environment[name] for name in _INHERITED if name in environment}
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (root, kept.get("PYTHONPATH"))))
    return kept


def confine() -> tuple[str, ...]:
    """Give up what this process does not need, for good; return what the platform does not let it give up.

    Called after all modules are imported: from then on this process has the files that are open, and can open
    none: no file of the installation, no connection, also none through a socket in the file system.
    """
    return tuple(_refused())


def allow_seconds(seconds: float) -> None:
    """Let the kernel end this process after *seconds* more of processor time, in steps of whole seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _refused() -> Iterator[str]:
    for name, give_up in _LIMITS.items():
        try:
            give_up()
        except (OSError, ValueError, AttributeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            yield f"{name} ({reason})"


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _open_no_more() -> None:
    lowest = os.dup(0)  # a limit of this many: every lower number is in use, higher ones are refused
    os.close(lowest)
    _limit(resource.RLIMIT_NOFILE, lowest)


def _leave_network() -> None:
    """Enter a network namespace of its own, which has no interface; the user namespace allows that."""
    _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNET)


def _gain_no_privileges() -> None:
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _call(name: str, *arguments: int) -> None:
    """Call a function of the C library that returns 0; raises OSError, and AttributeError without it."""
    if not sys.platform.startswith("linux"):
        raise OSError(0, "only Linux has it")
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*(ctypes.c_ulong(argument) for argument in arguments)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


_LIMITS: Final[dict[str, Callable[[], None]]] = {
    "a network namespace of its own": _leave_network,
    "no new privileges": _gain_no_privileges,
    "a limit of memory": lambda: _limit(resource.RLIMIT_AS, MEMORY_BYTES),
    "a limit of processor time": lambda: allow_seconds(1.0),
    "no written file": lambda: _limit(resource.RLIMIT_FSIZE, 0),
    "no core file": lambda: _limit(resource.RLIMIT_CORE, 0),
    "no other process": lambda: _limit(resource.RLIMIT_NPROC, 0),
    "no other open file or connection": _open_no_more,
}
"""What the process gives up, in this order: the last one is in the way of the others."""

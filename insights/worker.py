"""The child process of `ProcessAnalyser`, `python -m insights.worker SECONDS`; it ends with its input."""

import os
import signal
import sys
import time
from typing import BinaryIO, Final

import msgspec

from insights.complexity import analyse
from insights.confinement import allow_seconds, confine
from insights.request import Analysis, Greeting, Request
from processes.frames import read_frame, write_frame

_GRACE_SECONDS: Final = 5.0
_LEAST_SECONDS: Final = 0.0005
"""What a file costs at least: some clocks of processor time move in steps of 10 ms."""


def serve(requests: BinaryIO, reports: BinaryIO, seconds: float, wall_seconds: float) -> None:
    """Send a greeting when ready, then answer each request with its analysis until the input ends.

    A file that takes *seconds* of processor time ends this process, and so does one that takes *wall_seconds*
    and a grace: by then its parent has given up, or has ended.
    """
    decoder = msgspec.msgpack.Decoder(Request)
    encoder = msgspec.msgpack.Encoder()
    write_frame(reports, encoder.encode(Greeting(missing=confine())))
    while (body := read_frame(requests)) is not None:
        allow_seconds(seconds)
        signal.setitimer(signal.ITIMER_REAL, wall_seconds + _GRACE_SECONDS)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        began = time.process_time()
        request = decoder.decode(body)
        report = analyse(request.path.decode(), request.content.decode())
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        taken = max(time.process_time() - began, _LEAST_SECONDS)
        write_frame(reports, encoder.encode(Analysis(report, taken)))


def main() -> None:
    """Serve on the standard streams, at low priority."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes our input
    for number in (signal.SIGALRM, signal.SIGPROF, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)  # the kernel ends us even inside a regular expression
    os.nice(10)
    # What a parser prints must not land between the frames.
    with os.fdopen(os.dup(1), "wb") as reports:
        os.dup2(2, 1)
        serve(sys.stdin.buffer, reports, float(sys.argv[1]), float(sys.argv[2]))


if __name__ == "__main__":
    main()

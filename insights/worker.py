"""The child process of `ProcessAnalyser`, `python -m insights.worker SECONDS`; it ends with its input."""

import os
import signal
import sys
from typing import BinaryIO, Final

import msgspec

from insights.complexity import analyse
from insights.request import Request
from processes.frames import read_frame, write_frame

_GRACE_SECONDS: Final = 5.0


def serve(requests: BinaryIO, reports: BinaryIO, seconds: float) -> None:
    """Send an empty message when ready, then answer each request with its report until the input ends.

    A file that takes *seconds* and a grace ends this process: by then its parent has given up, or has ended.
    """
    decoder = msgspec.msgpack.Decoder(Request)
    encoder = msgspec.msgpack.Encoder()
    write_frame(reports, b"")
    while (body := read_frame(requests)) is not None:
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
        request = decoder.decode(body)
        report = analyse(request.path.decode(), request.content.decode())
        signal.setitimer(signal.ITIMER_REAL, 0)
        write_frame(reports, encoder.encode(report))


def main() -> None:
    """Serve on the standard streams, at low priority."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes our input
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # the kernel ends us even inside a regular expression
    os.nice(10)
    # What a parser prints must not land between the frames.
    with os.fdopen(os.dup(1), "wb") as reports:
        os.dup2(2, 1)
        serve(sys.stdin.buffer, reports, float(sys.argv[1]))


if __name__ == "__main__":
    main()

"""One child process that analyses files, with a deadline for each answer."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Final

import msgspec

from insights.confinement import environment_of_child
from insights.request import Analysis, Greeting, Request
from processes.frames import LENGTH, frame

_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 5.0
_REPLY_BYTES: Final = 256 * 1024 * 1024
_CHUNK: Final = 1024 * 1024
_WALL_FACTOR: Final = 5.0
"""A busy machine gives a process of low priority little time: it may take so much longer than it works."""
_OUT_OF_TIME: Final = (-signal.SIGPROF, -signal.SIGXCPU, -signal.SIGALRM)


class ChildCrashedError(Exception):
    """The child ended, or sent something that is not a report."""


class ChildSlowError(Exception):
    """The child did not answer in time, or the file took all of its processor time."""


class Child:
    """Run `insights.worker` and exchange one file for its report; not thread safe.

    The process has none of this one's secrets, and gives up what it does not need before the first file.
    """

    def __init__(self, seconds: float) -> None:
        """Start the process; each file may take *seconds* of processor time."""
        root = str(Path(__file__).resolve().parent.parent)
        self._seconds = seconds * _WALL_FACTOR
        self._decoder = msgspec.msgpack.Decoder(Analysis)
        self.missing: tuple[str, ...] = ()
        # -P: a file called lizard.py in the working directory must not be imported. -B: nothing is written.
        self._process = subprocess.Popen(  # noqa: S603 # our own interpreter and module
            [sys.executable, "-P", "-B", "-m", "insights.worker", str(seconds), str(self._seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env=environment_of_child(os.environ, root),
        )
        self._input = _non_blocking(self._process.stdin)
        self._output = _non_blocking(self._process.stdout)

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Return when the child takes files; raise ChildCrashedError or ChildSlowError when it will not.

        From then on, *missing* names the limits that the platform does not let it set.
        """
        greeting = self._read_frame(time.monotonic() + _START_SECONDS)
        try:
            self.missing = msgspec.msgpack.decode(greeting, type=Greeting).missing
        except msgspec.DecodeError as error:
            raise ChildCrashedError("the child's greeting is not readable") from error

    def analyse(self, path: str, content: str) -> Analysis:
        """Return the report of one file; after an exception this child must be closed."""
        deadline = time.monotonic() + self._seconds
        request = Request(path.encode("utf-8", "replace"), content.encode("utf-8", "replace"))
        self._write(frame(msgspec.msgpack.encode(request)), deadline)
        try:
            return self._decoder.decode(self._read_frame(deadline))
        except msgspec.DecodeError as error:
            raise ChildCrashedError("the child's report is not readable") from error

    def kill(self) -> None:
        """End the process at once; may be called from any thread."""
        self._process.kill()

    def close(self) -> None:
        """End the process where it still runs, and release it."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def _write(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            self._wait(self._input, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._input, rest) :]
            except BlockingIOError:
                continue  # there was less room than the kernel announced: wait again
            except BrokenPipeError as error:
                raise self._ended() from error

    def _read_frame(self, deadline: float) -> bytes:
        (length,) = LENGTH.unpack(self._read(LENGTH.size, deadline))
        if length > _REPLY_BYTES:
            raise ChildCrashedError(f"the child announced {length} bytes")
        return self._read(length, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait(self._output, select.POLLIN, deadline)
            chunk = os.read(self._output, min(size - len(data), _CHUNK))
            if not chunk:
                raise self._ended()
            data += chunk
        return bytes(data)

    def _ended(self) -> ChildCrashedError | ChildSlowError:
        """Return what the end of the process means, once it has ended."""
        try:
            status = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return ChildCrashedError("the child closed its pipes")
        if status in _OUT_OF_TIME:
            return ChildSlowError("the file took all of the child's processor time")
        return ChildCrashedError(f"the child ended with status {status}")

    @staticmethod
    def _wait(descriptor: int, event: int, deadline: float) -> None:
        # poll, not select: a busy server has descriptors above 1,024.
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise ChildSlowError("the child did not answer in time")


def _non_blocking(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        raise ChildCrashedError("the child has no pipes")
    os.set_blocking(pipe.fileno(), False)
    return pipe.fileno()

"""One child process that analyses files, with a deadline for each answer."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Final

import msgspec

from insights.report import FileReport
from insights.request import Request
from processes.frames import LENGTH, frame

_START_SECONDS: Final = 60.0
_REPLY_BYTES: Final = 256 * 1024 * 1024
_CHUNK: Final = 1024 * 1024


class ChildCrashedError(Exception):
    """The child ended, or sent something that is not a report."""


class ChildSlowError(Exception):
    """The child did not answer in time."""


class Child:
    """Run `insights.worker` and exchange one file for its report; not thread safe."""

    def __init__(self, seconds: float) -> None:
        """Start the process; each file may take *seconds*."""
        root = str(Path(__file__).resolve().parent.parent)
        inherited = os.environ.get("PYTHONPATH")
        self._seconds = seconds
        self._decoder = msgspec.msgpack.Decoder(FileReport)
        # -P: a file called lizard.py in the working directory must not be imported.
        self._process = subprocess.Popen(  # noqa: S603 # our own interpreter and module
            [sys.executable, "-P", "-m", "insights.worker", str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (root, inherited)))},
        )
        self._input = _non_blocking(self._process.stdin)
        self._output = _non_blocking(self._process.stdout)

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Return when the child takes files; raise ChildCrashedError or ChildSlowError when it will not."""
        self._read_frame(time.monotonic() + _START_SECONDS)

    def analyse(self, path: str, content: str) -> FileReport:
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
                raise ChildCrashedError("the child closed its input") from error

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
                raise ChildCrashedError("the child ended")
            data += chunk
        return bytes(data)

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

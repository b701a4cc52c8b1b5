"""What a process reads and writes, from Linux's own figures; nothing where the platform has none."""

from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

_PROC = Path("/proc/self")
_LOOPBACK = "lo"
_RECEIVED, _SENT = 0, 8
"""The columns of bytes in `/proc/net/dev`; the packets stand next to each."""


class ProcessInOut(Collector):
    """The bytes and operations of this process at its disks, and of its network interfaces.

    Linux counts the network for a network namespace, that is for a container or for the whole machine, and
    not for a process. The loopback interface does not count.
    """

    def __init__(self, proc: Path = _PROC) -> None:
        """Read below *proc*, the folder of the process in `/proc`."""
        self._proc = proc

    def collect(self) -> Iterator[Metric]:
        """Yield the figures that the platform has."""
        try:
            disk = _disk((self._proc / "io").read_text(encoding="ascii"))
            network = _network((self._proc / "net" / "dev").read_text(encoding="ascii"))
        except (OSError, ValueError, KeyError, IndexError):
            return
        yield _counter("codepark_process_disk_bytes", "Bytes that the process moved at disks", disk[:2])
        yield _counter(
            "codepark_process_disk_operations", "Calls of the process that read or wrote", disk[2:]
        )
        yield _counter(
            "codepark_process_network_bytes", "Bytes at the network interfaces of the namespace", network[:2]
        )
        yield _counter(
            "codepark_process_network_packets",
            "Packets at the network interfaces of the namespace",
            network[2:],
        )


def _disk(text: str) -> tuple[int, int, int, int]:
    """Return the bytes and the calls that read and wrote, of the text of `/proc/PID/io`."""
    values = {name: int(value) for name, _, value in (line.partition(":") for line in text.splitlines())}
    return values["read_bytes"], values["write_bytes"], values["syscr"], values["syscw"]


def _network(text: str) -> tuple[int, int, int, int]:
    """Return the bytes and packets that came and went, of the text of `/proc/PID/net/dev`."""
    totals = [0, 0, 0, 0]
    for line in text.splitlines()[2:]:
        name, _, values = line.partition(":")
        if name.strip() != _LOOPBACK:
            columns = [int(value) for value in values.split()]
            for place, column in enumerate((_RECEIVED, _SENT, _RECEIVED + 1, _SENT + 1)):
                totals[place] += columns[column]
    return totals[0], totals[1], totals[2], totals[3]


def _counter(name: str, description: str, values: tuple[int, ...]) -> Metric:
    counter = CounterMetricFamily(name, description, labels=["direction"])
    for direction, value in zip(("in", "out"), values, strict=True):
        counter.add_metric([direction], value)
    return counter

"""The bytes and operations of a process."""

from codepark.process_metrics import ProcessInOut

IO = "rchar: 9\nwchar: 8\nsyscr: 7\nsyscw: 6\nread_bytes: 5\nwrite_bytes: 4\ncancelled_write_bytes: 3\n"
DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier
    lo:  100  1 0 0 0 0 0 0  100  1 0 0 0 0 0 0
  eth0: 2000 20 0 0 0 0 0 0 3000 30 0 0 0 0 0 0
  eth1:    5  1 0 0 0 0 0 0    7  2 0 0 0 0 0 0
"""


def shown(proc):
    return {
        (sample.name, sample.labels["direction"]): sample.value
        for metric in ProcessInOut(proc).collect()
        for sample in metric.samples
    }


def test_the_figures_are_those_of_linux_without_the_loopback_interface(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "io").write_text(IO)
    (tmp_path / "net" / "dev").write_text(DEV)
    assert shown(tmp_path) == {
        ("codepark_process_disk_bytes_total", "in"): 5,
        ("codepark_process_disk_bytes_total", "out"): 4,
        ("codepark_process_disk_operations_total", "in"): 7,
        ("codepark_process_disk_operations_total", "out"): 6,
        ("codepark_process_network_bytes_total", "in"): 2005,
        ("codepark_process_network_bytes_total", "out"): 3007,
        ("codepark_process_network_packets_total", "in"): 21,
        ("codepark_process_network_packets_total", "out"): 32,
    }


def test_a_platform_without_them_shows_none(tmp_path):
    assert shown(tmp_path) == {}
    (tmp_path / "net").mkdir()
    (tmp_path / "io").write_text("nothing that we know\n")
    (tmp_path / "net" / "dev").write_text(DEV)
    assert shown(tmp_path) == {}

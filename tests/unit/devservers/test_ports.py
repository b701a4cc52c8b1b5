"""Ports for servers: free ones, each only once until the range is used up."""

import socket

import pytest

from devservers.ports import Ports, free_port, is_free


def test_a_free_port_is_free_and_no_outgoing_connection_gets_it():
    port = free_port()
    assert port < 32_000
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
    assert is_free(port)


def test_each_port_of_a_range_comes_once_before_any_comes_again():
    ports = Ports(range(10_000, 10_020))
    usable = [port for port in range(10_000, 10_020) if is_free(port)]
    assert sorted(ports.free_port() for _ in usable) == usable


def test_a_port_that_is_taken_is_left_out():
    taken = free_port()
    only = Ports([taken])
    with socket.create_server(("127.0.0.1", taken)), pytest.raises(OSError, match="all ports of the range"):
        only.free_port()
    assert Ports([taken]).free_port() == taken


def test_no_port_is_not_free():
    assert not is_free(None)

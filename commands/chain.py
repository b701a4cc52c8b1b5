"""The chain: each record's value covers the record and the value before it (the same in every profile)."""

import hashlib

from msgspec.structs import force_setattr

from commands.record_headers import chain_bytes
from domain.record import Record

CHAIN_SIZE = 32
_LEAF = b"\x00"
_NODE = b"\x02"


def leaf(covered: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ covered): the part of a chain value that needs no preceding record."""
    return hashlib.sha256(_LEAF + covered).digest()


def link_leaf(previous: bytes, leaf_hash: bytes) -> bytes:
    """Return SHA-256(0x02 ‖ previous ‖ leaf)."""
    return hashlib.sha256(_NODE + previous + leaf_hash).digest()


def link(previous: bytes, covered: bytes) -> bytes:
    """Return SHA-256(0x02 ‖ previous ‖ SHA-256(0x00 ‖ covered))."""
    return link_leaf(previous, leaf(covered))


def chain_after(previous: bytes, record: Record) -> bytes:
    """Return the chain value of *record* after the value *previous*; see `link`."""
    return link(previous, chain_bytes(record))


def chain_in_place(record: Record, previous: bytes) -> bytes:
    """Set the chain value of a record that nobody else has seen yet, and return the value."""
    chain = chain_after(previous, record)
    force_setattr(record, "chain", chain)
    return chain


def first_chain(log_id: str, partition: int, partitions: int) -> bytes:
    """Return the predecessor of a partition's first record.

    It is SHA-256(u32 length ‖ log id ‖ u32 partition ‖ u32 partitions).
    """
    name = log_id.encode()
    numbers = partition.to_bytes(4, "big") + partitions.to_bytes(4, "big")
    return hashlib.sha256(len(name).to_bytes(4, "big") + name + numbers).digest()


def source_of(log_id: str) -> str:
    """Return the CloudEvents source of a log's records."""
    return f"urn:codepark:log:{log_id}"

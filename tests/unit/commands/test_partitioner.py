"""The partition of a home key is the one that every Kafka client computes."""

from aiokafka.partitioner import murmur2 as kafkas_murmur2
from hypothesis import given
from hypothesis import strategies as st
from uuid_utils import uuid7

from commands.partitioner import murmur2, partition_of


@given(st.binary(max_size=200))
def test_the_hash_is_that_of_kafka(data):
    assert murmur2(data) == kafkas_murmur2(data) & 0xFFFFFFFF


@given(st.text(max_size=60), st.integers(2, 1_024))
def test_the_partition_is_that_of_kafkas_default_partitioner(home, partitions):
    assert partition_of(home, partitions) == (kafkas_murmur2(home.encode()) & 0x7FFFFFFF) % partitions


def test_project_ids_spread_over_the_partitions():
    numbers = [partition_of(str(uuid7()), 3) for _ in range(3_000)]
    assert all(numbers.count(number) > 800 for number in range(3))


def test_a_single_partition_has_everything():
    assert partition_of("anything", 1) == 0

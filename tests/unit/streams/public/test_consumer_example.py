"""The documented consumer: what it makes of records, and that it drops what it has seen."""

import importlib.util
import json
from pathlib import Path

import pytest

from domain.file.events import FileWritten
from streams.public.message import public_message, structured
from tests.unit.streams.public.samples import event_of, pseudonym, record_of

aiokafka = pytest.importorskip("aiokafka")
PROGRAM = Path(__file__).parents[4] / "docs" / "examples" / "consume_public.py"


@pytest.fixture(scope="module")
def program():
    spec = importlib.util.spec_from_file_location("consume_public", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(partition, sequence, source="urn:x"):
    return {"source": source, "partition": str(partition), "sequence": str(sequence)}


def place(partition, topic="t"):
    return aiokafka.TopicPartition(topic, partition)


def test_what_comes_twice_is_dropped(program, tmp_path):
    seen = program.Seen(tmp_path / "seen.json")
    sequences = [9, 10, 9, 10, 12, 11, 100]
    assert [n for n in sequences if seen.is_new(place(0), event(0, n))] == [9, 10, 12, 100]


def test_each_partition_counts_for_itself(program, tmp_path):
    seen = program.Seen(tmp_path / "seen.json")
    assert seen.is_new(place(0), event(0, 5))
    assert seen.is_new(place(1), event(0, 5))
    assert seen.is_new(place(0), event(1, 5))
    assert seen.is_new(place(0, "u"), event(0, 5))
    assert seen.is_new(place(0), event(0, 5, source="urn:y"))
    assert not seen.is_new(place(0), event(0, 4))


def test_it_is_kept(program, tmp_path):
    seen = program.Seen(tmp_path / "seen.json")
    seen.is_new(place(0), event(0, 5))
    seen.save()
    again = program.Seen(tmp_path / "seen.json")
    assert not again.is_new(place(0), event(0, 5))
    assert again.is_new(place(0), event(0, 6))
    assert [path.name for path in tmp_path.iterdir()] == ["seen.json"]


def test_it_reads_what_is_published(program):
    happened = event_of(FileWritten)
    message = public_message(happened, record_of(happened), 3, pseudonym=pseudonym)

    class Record:
        headers = message.headers
        value = message.value

    whole = json.loads(structured(message).value)
    for name in ("partitionkey", "datacontenttype"):
        del whole[name]
    assert program.cloud_event(Record) == whole

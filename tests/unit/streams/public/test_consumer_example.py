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


def event(id_, source="urn:x"):
    return {"source": source, "id": id_}


def test_what_comes_twice_is_dropped(program, tmp_path):
    seen = program.Seen(tmp_path / "seen.sqlite")
    assert [id_ for id_ in "abacbd" if seen.is_new(event(id_))] == ["a", "b", "c", "d"]
    assert seen.is_new(event("a", source="urn:y"))
    seen.close()


def test_what_was_saved_is_kept(program, tmp_path):
    path = tmp_path / "seen.sqlite"
    seen = program.Seen(path)
    seen.is_new(event("a"))
    seen.save()
    seen.is_new(event("b"))
    seen.close()
    again = program.Seen(path)
    assert not again.is_new(event("a"))
    assert again.is_new(event("b"))
    again.close()


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

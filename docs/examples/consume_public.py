"""Print the events of CodePark's public topics, one JSON object a line, each once.

    pip install aiokafka
    python consume_public.py --bootstrap 127.0.0.1:9092 --topic codepark.public.file.v1 --count 10

Started again with the same group and state file, it continues where it stopped.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition


class Seen:
    """The last sequence of each source partition, for each partition of a topic, stored in a file."""

    def __init__(self, path: Path) -> None:
        """Read what an earlier run stored in *path*."""
        self._path = path
        self._last: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}

    def is_new(self, place: TopicPartition, event: dict) -> bool:
        """Return whether *event* is new, and remember it."""
        source = f"{place.topic}/{place.partition}/{event['source']}/{event['partition']}"
        sequence = int(event["sequence"])
        if sequence <= self._last.get(source, 0):
            return False
        self._last[source] = sequence
        return True

    def save(self) -> None:
        """Write the file whole or not at all."""
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self._last))
        new.replace(self._path)


def cloud_event(record: ConsumerRecord) -> dict:
    """Combine the attributes in the headers and the data in the value into one event."""
    attributes = {
        name.removeprefix("ce_"): value.decode() for name, value in record.headers if name.startswith("ce_")
    }
    return {**attributes, "data": json.loads(record.value)}


async def consume(bootstrap: str, topics: list[str], group: str, seen: Seen, count: int | None) -> None:
    """Print *count* events; without a count, print every event and wait for more."""
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",  # a new group begins with the first event
        enable_auto_commit=False,  # an offset is committed after its event was printed, not before
    )
    await consumer.start()
    try:
        printed = 0
        while count is None or printed < count:
            for place, records in (await consumer.getmany(timeout_ms=1_000)).items():
                for record in records:
                    if printed == count:
                        return
                    event = cloud_event(record)
                    if seen.is_new(place, event):
                        print(json.dumps(event), flush=True)  # noqa: T201 # put your own work here
                        printed += 1
                    # For speed, do these two once for many events: after a crash, those are printed again.
                    seen.save()
                    await consumer.commit({place: record.offset + 1})
    finally:
        await consumer.stop()


def main() -> None:
    """Read the arguments and consume."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bootstrap", default="127.0.0.1:9092", help="brokers, separated by commas")
    parser.add_argument("--topic", action="append", required=True, help="a topic; may be repeated")
    parser.add_argument("--group", default="my-analysis", help="the consumer group")
    parser.add_argument(
        "--state", type=Path, default=Path("seen.json"), help="the file of the last sequences"
    )
    parser.add_argument("--count", type=int, help="the number of events after which to stop")
    given = parser.parse_args()
    try:
        asyncio.run(consume(given.bootstrap, given.topic, given.group, Seen(given.state), given.count))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

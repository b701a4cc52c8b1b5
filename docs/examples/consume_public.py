"""Print the events of CodePark's public topics, one JSON object a line, each once.

    pip install aiokafka
    python consume_public.py --bootstrap 127.0.0.1:9092 --topic codepark.public.file.v2 --count 10

Started again with the same group and state file, it continues where it stopped.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord


class Seen:
    """The ids of the events that were printed, stored in a SQLite file."""

    def __init__(self, path: Path) -> None:
        """Continue with what an earlier run stored in *path*."""
        self._ids = sqlite3.connect(path)
        self._ids.execute("CREATE TABLE IF NOT EXISTS seen (source TEXT, id TEXT, UNIQUE (source, id))")

    def is_new(self, event: dict) -> bool:
        """Return whether *event* is new, and remember it."""
        added = self._ids.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (event["source"], event["id"]))
        return added.rowcount == 1

    def save(self) -> None:
        """Store the ids durably."""
        self._ids.commit()

    def close(self) -> None:
        """Close the file; ids that were not saved are forgotten."""
        self._ids.close()


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
                    if seen.is_new(event):
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
        "--state", type=Path, default=Path("seen.sqlite"), help="the file of the events that were printed"
    )
    parser.add_argument("--count", type=int, help="the number of events after which to stop")
    given = parser.parse_args()
    try:
        asyncio.run(consume(given.bootstrap, given.topic, given.group, Seen(given.state), given.count))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

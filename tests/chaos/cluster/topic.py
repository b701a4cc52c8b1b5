"""What a reader who has nothing but the topic finds in it."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from commands.kafka.protocol.aiokafka_transport import KafkaTransport
from commands.kafka.protocol.chain_rule import ChainRule, CountedMessage, VoidMessage
from commands.kafka.settings import KafkaSettings, read_kafka_settings
from commands.partitioner import partition_of
from domain.log.events import CommandRefused, CommandUnchanged, LogFenced
from domain.record import Record
from domain.token.events import OperatorTokenUsed

TECHNICAL = frozenset(
    {CommandRefused.TOPIC, CommandUnchanged.TOPIC, LogFenced.TOPIC, OperatorTokenUsed.TOPIC}
)


class Part:
    """One partition from offset 0 on: what counts, and what is void."""

    def __init__(self, settings: KafkaSettings, number: int) -> None:
        self.number = number
        self.partitions = settings.partitions
        self.records: list[Record] = []
        self.void: list[VoidMessage] = []
        self._rule = ChainRule(number)
        asyncio.run(self._read(settings))

    @property
    def chains(self) -> list[bytes]:
        """Return the chain values of what counts."""
        return [record.chain for record in self.records]

    @property
    def commands(self) -> dict[str, list[Record]]:
        """Return the records of each command."""
        found = defaultdict(list)
        for record in self.records:
            found[record.command].append(record)
        return dict(found)

    def problems(self) -> list[str]:
        """Return what is not as it must be in any history: sequences, versions, whole commands, each once."""
        found = []
        if [record.sequence for record in self.records] != list(range(1, len(self.records) + 1)):
            found.append("the sequences have a gap")
        versions: dict[str, int] = defaultdict(int)
        times = [record.occurred_at for record in self.records]
        if times != sorted(times):
            found.append("the event time goes back")
        for record in self.records:
            versions[record.stream] += 1
            if record.version != versions[record.stream]:
                found.append(f"{record.stream} has {record.version} where {versions[record.stream]} is due")
        for command, records in self.commands.items():
            places = [(record.commit_index, record.commit_count) for record in records]
            if places != [(index, len(records)) for index in range(1, len(records) + 1)]:
                found.append(f"{command} is torn or took effect twice: {places}")
            if records[-1].sequence - records[0].sequence != len(records) - 1:
                found.append(f"{command} has records of others between its own")
        if any(void.false_history for void in self.void):
            found.append(f"a writer held a false history: {self.void}")
        strays = {r.home for r in self.records if not r.topic.startswith("log.")}
        if any(partition_of(home, self.partitions) != self.number for home in strays):
            found.append(f"partition {self.number} has records of homes that belong elsewhere")
        return found

    async def _read(self, settings: KafkaSettings) -> None:
        transport = KafkaTransport(settings, settings.topic, self.number)
        try:
            at, end = 0, await transport.end()
            while at < end:
                messages, at = await transport.fetch(at, wait=True)
                for verdict in map(self._rule.judge, messages):
                    self._note(verdict)
        finally:
            await transport.close()

    def _note(self, verdict: CountedMessage | VoidMessage) -> None:
        if isinstance(verdict, VoidMessage):
            self.void.append(verdict)
        elif verdict.record is not None:
            self.records.append(verdict.record)


class Topic:
    """All partitions of the log."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        settings = read_kafka_settings(environment)
        assert settings is not None
        self.parts = [Part(settings, number) for number in range(settings.partitions)]

    @property
    def records(self) -> list[Record]:
        """Return what counts, one partition after the other."""
        return [record for part in self.parts for record in part.records]

    @property
    def void(self) -> list[VoidMessage]:
        return [void for part in self.parts for void in part.void]

    @property
    def effects(self) -> dict[str, list[Record]]:
        """Return the records of the commands that changed something."""
        return {
            name: found
            for part in self.parts
            for name, found in part.commands.items()
            if found[0].topic not in TECHNICAL
        }

    def problems(self) -> list[str]:
        """Return what is not as it must be in any history, and the commands that two partitions have."""
        names = [name for part in self.parts for name in part.commands]
        twice = len(names) - len(set(names))
        found = [problem for part in self.parts for problem in part.problems()]
        return [*found, f"{twice} commands took effect in two partitions"] if twice else found

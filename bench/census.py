"""Count the records of a log on Kafka, by the chain rule that every reader applies."""

from commands.kafka.protocol.aiokafka_transport import KafkaTransport
from commands.kafka.protocol.chain_rule import ChainRule, CountedMessage
from commands.kafka.settings import KafkaSettings


async def census(settings: KafkaSettings, topic: str | None = None) -> tuple[int, int]:
    """Return how many records of the first partition count, and how many are void.

    With *topic*, count only the events of that topic.
    """
    transport = KafkaTransport(settings, settings.topic, 0)
    rule, counted, void = ChainRule(0), 0, 0
    try:
        end = await transport.end()
        while rule.checkpoint.next_offset < end:
            messages, _ = await transport.fetch(rule.checkpoint.next_offset, wait=True)
            for message in messages:
                verdict = rule.judge(message)
                if not isinstance(verdict, CountedMessage):
                    void += 1
                elif verdict.record is not None and topic in (None, verdict.record.topic):
                    counted += 1
    finally:
        await transport.close()
    return counted, void

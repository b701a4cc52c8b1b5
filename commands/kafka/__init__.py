"""The event log on Apache Kafka, and a persistence module for any `eventsourcing` application.

`PERSISTENCE_MODULE=commands.kafka` finds the one factory below.
"""

from commands.kafka.factory import KafkaFactory

__all__ = ["KafkaFactory"]

"""The event log on Apache Kafka, and a persistence module for any `eventsourcing` application.

`PERSISTENCE_MODULE=commands.kafka` finds the one factory here. aiokafka, of the extra `cluster`, is imported
where a connection is made: settings are read without it.
"""

from commands.kafka.library.factory import KafkaFactory

__all__ = ["KafkaFactory"]

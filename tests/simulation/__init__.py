"""A model of the log on a simulated partition: production code, virtual time, every fault of Kafka."""

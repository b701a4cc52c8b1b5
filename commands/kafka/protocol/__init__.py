"""The rules of the log on Kafka: messages, which of them count, one partition read and appended to."""

"""Real servers on loopback without Docker: Kafka, MongoDB's protocol, Valkey. A tool of development and of tests."""

"""Real servers on loopback without Docker, for development and tests: Kafka, MongoDB's protocol, Valkey."""

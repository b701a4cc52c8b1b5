"""A node of CodePark: its command bus and its event log on Kafka."""

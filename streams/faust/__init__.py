"""The cluster's projections: Faust workers that run the projectors over the log in Kafka."""

"""The queue on Redis or Valkey, in BullMQ's own layout: programs for Node read and add the same jobs."""

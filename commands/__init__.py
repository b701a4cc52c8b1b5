"""The command side: the bus, the handlers, the event log and what protects it."""

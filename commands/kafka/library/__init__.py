"""The persistence module for any application of the library `eventsourcing`."""

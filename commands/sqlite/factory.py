"""A persistence module for any `eventsourcing` application: `PERSISTENCE_MODULE=commands.sqlite.factory`."""

from eventsourcing import sqlite as library

from commands.sqlite.recorder import ChainedProcessRecorder, ChainedRecorder


class ChainedFactory(library.SQLiteFactory):
    """The library's SQLite factory, with recorders whose events are chained."""

    application_recorder_class = ChainedRecorder
    process_recorder_class = ChainedProcessRecorder  # type: ignore[assignment] # a process recorder by its bases

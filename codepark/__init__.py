"""The composition root: settings, wiring, the server process, the command line."""

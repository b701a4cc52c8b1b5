"""The command table: one row for each type of command, in a module for each resource."""

"""Read the histories of other systems, and record them as commands."""

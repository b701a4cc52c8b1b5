"""Reading the histories of other systems, so that they can be told again as commands."""

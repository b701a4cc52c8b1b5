"""What may happen on CodePark, and why not: events, commands, deciders, refusals. Pure."""

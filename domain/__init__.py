"""The domain of CodePark: events, commands, deciders and refusals. Pure: no clock, no randomness, no I/O."""

"""The verdicts of people on the suggestions of the insights."""

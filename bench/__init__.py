"""Measure CodePark and its peers on one machine, in one run, with one load generator: `python -m bench`."""

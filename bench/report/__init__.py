"""The published benchmarks: a page, its full tables and its charts, from the JSON of runs."""

"""The kinds of jobs: what asks for each, and what it does."""

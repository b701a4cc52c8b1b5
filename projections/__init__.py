"""The read side: pure projectors, the writes they describe, document stores, queries."""

"""Jobs of running servers."""

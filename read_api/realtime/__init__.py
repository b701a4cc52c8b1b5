"""Live channels: a subscriber gets each event in order, and may resume after the last one that it got."""

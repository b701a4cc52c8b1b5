"""Live channels: who subscribes sees each event in order, and may resume where it stopped."""

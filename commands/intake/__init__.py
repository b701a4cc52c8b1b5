"""What a caller may send, and how it becomes a command."""

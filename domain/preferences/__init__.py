"""How an account wants to hear of what concerns it."""

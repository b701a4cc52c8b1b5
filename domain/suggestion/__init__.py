"""What people made of the suggestions that the insights gave."""

"""What people write to those who run the platform."""

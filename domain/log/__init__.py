"""What the log says about itself."""

"""What CodePark is measured against: the way most Python projects with event sourcing are built."""

"""What every request passes: authentication, bodies, conditions, errors."""

"""The peers of CodePark: servers built as most Python projects with event sourcing are."""

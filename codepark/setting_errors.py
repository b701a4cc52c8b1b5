"""What is wrong with settings."""


class SettingsError(Exception):
    """A setting that cannot be used."""

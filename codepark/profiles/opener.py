"""Open the profile that the settings choose."""

from codepark.profiles.profile import Profile
from codepark.settings import Settings
from commands.environment import SettingsError


def open_profile(settings: Settings) -> Profile:
    """Open the embedded profile, or a node of the cluster profile where Kafka is configured.

    Raises SettingsError where a package of the cluster profile is not installed, and what the profile raises.
    """
    if settings.kafka is None:
        from codepark.profiles.embedded import EmbeddedProfile  # noqa: PLC0415 # a process has one profile

        return EmbeddedProfile(settings)
    try:
        from codepark.profiles.cluster import ClusterProfile  # noqa: PLC0415 # as above
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is missing: install the cluster profile with `pip install 'codepark[cluster]'`"
        ) from error
    return ClusterProfile(settings)

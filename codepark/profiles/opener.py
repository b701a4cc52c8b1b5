"""Open the profile of the profile that the settings name."""

from codepark.profiles.profile import Profile
from codepark.settings import Settings
from commands.environment import SettingsError


def open_profile(settings: Settings) -> Profile:
    """Open the embedded profile, or a node of the cluster where Kafka is configured.

    Raises SettingsError where the extra that the cluster profile needs is not installed, and what the profile raises.
    """
    if settings.kafka is None:
        from codepark.profiles.embedded import Embedded  # noqa: PLC0415 # one profile is enough

        return Embedded(settings)
    try:
        from codepark.profiles.cluster import Cluster  # noqa: PLC0415 # as above
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is missing: install the cluster profile with `pip install 'codepark[cluster]'`"
        ) from error
    return Cluster(settings)

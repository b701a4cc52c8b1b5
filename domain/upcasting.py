"""Converts the data of events that an earlier release wrote to their latest version.

A changed event gets the next `version` in its class, and a function for the step from the version before:

    @upcaster("project.created", from_version=1)
    def _with_language(data: dict[str, object]) -> dict[str, object]:
        return {**data, "language": None}

The keys of the data are the names in the JSON.
"""

from collections.abc import Callable

from domain.event import Event, event_class, latest_version

Upcaster = Callable[[dict[str, object]], dict[str, object]]

_upcasters: dict[tuple[str, int], Upcaster] = {}


class UnknownEventError(Exception):
    """This release has no event class for the stored name and version."""

    def __init__(self, topic: str, version: int | None, reason: str) -> None:
        """Keep the name and the version that were looked up, and the *reason*."""
        named = topic if version is None else f"{topic} version {version}"
        super().__init__(f"{named}: {reason}")
        self.topic = topic
        self.version = version


def upcaster(topic: str, from_version: int) -> Callable[[Upcaster], Upcaster]:
    """Register the decorated function as the step of *topic* from *from_version* to the next version."""

    def register(step: Upcaster) -> Upcaster:
        if (topic, from_version) in _upcasters:
            raise TypeError(f"two upcasters lead from {topic} version {from_version}")
        _upcasters[topic, from_version] = step
        return step

    return register


def upcast(topic: str, version: int, data: dict[str, object]) -> dict[str, object]:
    """Return *data*, which was written in *version* of *topic*, in the latest version.

    Raises:
        UnknownEventError: no event has this name, or this release does not know the version.
    """
    latest = event_versions(topic)
    if not 1 <= version <= latest:
        raise UnknownEventError(topic, version, f"this release knows the versions 1 to {latest}")
    for step in range(version, latest):
        upcaster_ = _upcasters.get((topic, step))
        if upcaster_ is None:
            raise UnknownEventError(topic, version, f"there is no upcaster from version {step}")
        data = upcaster_(data)
    return data


def event_type(topic: str) -> type[Event]:
    """Return the class of the events called *topic*; raises UnknownEventError for an unknown name."""
    try:
        return event_class(topic)
    except KeyError as error:
        raise UnknownEventError(topic, None, "this release knows no such event") from error


def event_versions(topic: str) -> int:
    """Return the latest version of events called *topic*; raises UnknownEventError for an unknown name."""
    try:
        return latest_version(topic)
    except KeyError as error:
        raise UnknownEventError(topic, None, "this release knows no such event") from error

"""Bring the data of an event as it was once written to the shape of today.

A changed event gets the next `version` in its class, and here a function for the step from the one before:

    @upcaster("project.created", from_version=1)
    def _with_language(data: dict[str, object]) -> dict[str, object]:
        return {**data, "language": None}

The data has the names of the JSON.
"""

from collections.abc import Callable

from domain.event import Event, event_class, latest_version

Upcaster = Callable[[dict[str, object]], dict[str, object]]

_upcasters: dict[tuple[str, int], Upcaster] = {}


class UnknownEventError(Exception):
    """No event class of this release stands for the stored name and version."""

    def __init__(self, topic: str, version: int | None, reason: str) -> None:
        """Keep what was looked for."""
        named = topic if version is None else f"{topic} version {version}"
        super().__init__(f"{named}: {reason}")
        self.topic = topic
        self.version = version


def upcaster(topic: str, from_version: int) -> Callable[[Upcaster], Upcaster]:
    """Register the decorated function as the step of *topic* from *from_version* to the next."""

    def register(step: Upcaster) -> Upcaster:
        if (topic, from_version) in _upcasters:
            raise TypeError(f"two upcasters lead from {topic} version {from_version}")
        _upcasters[topic, from_version] = step
        return step

    return register


def upcast(topic: str, version: int, data: dict[str, object]) -> dict[str, object]:
    """Return *data*, written as *version* of *topic*, in the shape of the latest version.

    Raises:
        UnknownEventError: no event has this name, or this version of it is not known here.
    """
    latest = event_versions(topic)
    if not 1 <= version <= latest:
        raise UnknownEventError(topic, version, f"this release knows the versions 1 to {latest}")
    for step in range(version, latest):
        found = _upcasters.get((topic, step))
        if found is None:
            raise UnknownEventError(topic, version, f"there is no upcaster from version {step}")
        data = found(data)
    return data


def event_type(topic: str) -> type[Event]:
    """Return the class of the events called *topic*; raise UnknownEventError where there is none."""
    try:
        return event_class(topic)
    except KeyError as error:
        raise UnknownEventError(topic, None, "this release knows no such event") from error


def event_versions(topic: str) -> int:
    """Return how many versions the events called *topic* have had; raise UnknownEventError where there is none."""
    try:
        return latest_version(topic)
    except KeyError as error:
        raise UnknownEventError(topic, None, "this release knows no such event") from error

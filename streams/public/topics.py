"""The names of the public topics."""

from streams.public.publications import PUBLISHED, publication_of

DEFAULT_PREFIX = "codepark."
PUBLIC = "public-topics"
"""The name under which the progress and the dead letters of publishing are kept."""


def public_topic(event_type: str, prefix: str = DEFAULT_PREFIX) -> str | None:
    """Return the topic of events of this type; None if they are withheld."""
    publication = publication_of(event_type)
    return None if publication is None else prefix + publication.topic


def public_topics(prefix: str = DEFAULT_PREFIX) -> list[str]:
    """Return all public topics, sorted."""
    return sorted({prefix + publication.topic for publication in PUBLISHED})


def linkable_topics(prefix: str = DEFAULT_PREFIX) -> list[str]:
    """Return the topics of version 1, which name a person alike in every project, sorted."""
    return sorted({f"{prefix}public.{publication.aggregate}.v1" for publication in PUBLISHED})

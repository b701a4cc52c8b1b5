"""The structs of what an account owns and may own."""

from msgspec import Struct


class QuotaView(Struct, frozen=True, kw_only=True, rename="camel"):
    """How much of something there is, and how much there may be."""

    used: int
    limit: int | None


class QuotasView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What an account owns and may own: projects, their files, and the bytes that these have now.

    The limit of collaborators is that of each project; the project with the most of them is shown.
    """

    projects: QuotaView
    files: QuotaView
    bytes: QuotaView
    collaborators: QuotaView

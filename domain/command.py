"""The base of every command."""

from typing import dataclass_transform

from msgspec import Struct


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Command(Struct, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    """Something that somebody wants: imperative and frozen; ids, hashes and defaults arrive in it.

    The struct's tag is the name under which clients send it.
    """

    @classmethod
    def type_name(cls) -> str:
        """Return the public name, such as `project.create`."""
        return str(cls.__struct_config__.tag)

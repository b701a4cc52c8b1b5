"""The base of every command."""

from typing import Any, ClassVar, cast, dataclass_transform

from msgspec import Struct, StructMeta

from domain.policy import Rule, add_rule


class CommandMeta(StructMeta):
    """Reads `tag` and `rule` from the class statement, and adds the rule to the policy."""

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        tag: str = "",
        rule: Rule | None = None,
        **options: Any,  # msgspec's own options
    ) -> "type[Command]":
        """Create the class; raise TypeError where the name or the rule is missing, or the name is taken."""
        if not any(isinstance(base, CommandMeta) for base in bases):  # the base of all commands
            return cast("type[Command]", super().__new__(mcs, name, bases, namespace, **options))
        if not tag or rule is None:
            raise TypeError(f"the command {name} needs tag=, its public name, and rule=, who may send it")
        options = {"kw_only": True, **options}  # msgspec does not inherit it
        cls = super().__new__(mcs, name, bases, {**namespace, "NAME": tag}, tag=tag, **options)
        add_rule(tag, rule)
        return cast("type[Command]", cls)


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Command(Struct, metaclass=CommandMeta, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    """A change that an actor asks for: imperative and frozen; ids, hashes and defaults arrive in it.

    `NAME` is the public name, such as `project.create`, and the action whose rule the policy has.
    """

    NAME: ClassVar[str] = ""

    @property
    def weight(self) -> int:
        """Return as how many small commands this one counts, for the time that it takes."""
        return 1

"""The base of every command."""

from typing import Any, ClassVar, cast, dataclass_transform

from msgspec import Struct, StructMeta

from domain.policy import Rule, add_rule


class CommandMeta(StructMeta):
    """Read `tag` and `rule` from the class statement, and add the rule to the policy."""

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
        """Make the class; raise TypeError for a command without a name or a rule, and for a name that is taken."""
        is_base = not any(isinstance(base, CommandMeta) for base in bases)
        if is_base:
            return cast("type[Command]", super().__new__(mcs, name, bases, namespace, **options))
        if not tag or rule is None:
            raise TypeError(
                f"the command {name} needs a tag, its name, and a rule, which says who may send it"
            )
        add_rule(tag, rule)
        namespace = {**namespace, "NAME": tag}
        options.setdefault("kw_only", True)  # msgspec does not inherit it
        return cast("type[Command]", super().__new__(mcs, name, bases, namespace, tag=tag, **options))


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Command(Struct, metaclass=CommandMeta, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    """Something that somebody wants: imperative and frozen; ids, hashes and defaults arrive in it.

    `NAME` is the public name, such as `project.create`, and the action that the policy has a rule for.
    """

    NAME: ClassVar[str] = ""

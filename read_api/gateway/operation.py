"""Declare what a path does: the routes and the OpenAPI document are both made from these declarations."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import cached_property
from typing import Any, get_args, get_type_hints

from msgspec import Struct

from domain.policy import POLICY
from domain.registry import COMMANDS
from read_api.gateway.answers import Answer

Handler = Callable[..., Awaitable[Answer]]

FIELDS = "fields"
"""The query parameter that picks fields of an answer."""

_COMMAND_TYPES = frozenset(command.NAME for command in COMMANDS)


class DeclarationError(TypeError):
    """A declaration that names what does not exist; raised while the module is imported."""


class Operation(Struct, frozen=True, kw_only=True, dict=True):
    """One method of one path.

    *action* is its name in the policy, which is asked before anything else is looked at. *input* is the
    struct of the body, *query* that of the query, *output* that of the answer (None: no body). With *patch*
    the body is a merge patch; with *optional_body* it may be absent. A *command* changes something, so that
    conditions, idempotency keys and the refusals of commands apply; *command_type* is the command's name.
    *also* are other statuses of success, *statuses* other refusals. *conditional* answers take
    `If-None-Match`. *hidden* operations are not in the document. *deprecated* is the time since when it
    should not be used, *sunset* when it ends, *successor* the path to use instead. An *unhurried* operation
    has no time limit. An *open* one asks nobody who they are: its handler reads `Authorization` itself.
    """

    method: str
    path: str
    handler: Handler
    action: str
    summary: str
    tag: str
    status: int = 200
    input: type[Struct] | None = None
    query: type[Struct] | None = None
    output: Any = None
    patch: bool = False
    optional_body: bool = False
    command: bool = False
    command_type: str = ""
    conditional: bool = False
    hidden: bool = False
    statuses: tuple[int, ...] = ()
    also: tuple[int, ...] = ()
    deprecated: datetime | None = None
    sunset: datetime | None = None
    successor: str | None = None
    unhurried: bool = False
    open: bool = False

    @cached_property
    def picks_fields(self) -> bool:
        """Whether `?fields=` picks fields of the answer: of what queries and commands show."""
        return bool(struct_fields(item_of(self.output))) and (self.method == "GET" or self.command)

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of the query parameters; any other is refused."""
        return frozenset(struct_fields(self.query)) | ({FIELDS} if self.picks_fields else set())


class Operations:
    """The declared operations of one resource."""

    def __init__(self, tag: str) -> None:
        """Group them in the documentation under *tag*."""
        self.tag = tag
        self.all: list[Operation] = []

    def __call__(
        self, method: str, path: str, action: str, *, command_type: str = "", **fields: Any
    ) -> Callable[[Handler], Handler]:
        """Declare the decorated handler as *method* of *path*; its docstring's first line is the summary.

        A command is named as its *action*, unless *command_type* names it. Raises DeclarationError for an
        action without a row in the policy and for a command that does not exist.
        """
        check_action(action)
        if fields.get("command"):
            command_type = command_type or action
            if command_type not in _COMMAND_TYPES:
                raise DeclarationError(f"{method} {path}: there is no command {command_type!r} in the domain")

        def declare(handler: Handler) -> Handler:
            operation = Operation(
                method=method,
                path=path,
                action=action,
                command_type=command_type,
                handler=handler,
                summary=(handler.__doc__ or "").strip().partition("\n")[0],
                tag=self.tag,
                **fields,
            )
            self.all.append(operation)
            return handler

        return declare


def check_action(action: str) -> None:
    """Raise DeclarationError for an action without a rule in the policy: each request would fail."""
    if action not in POLICY:
        raise DeclarationError(f"the policy (domain/policy.py) has no rule for the action {action!r}")


def item_of(output: Any) -> Any:
    """Return the type of the items of a list, and *output* itself where it is no list."""
    arguments = get_args(output)
    if arguments:
        return arguments[0]
    if "items" not in struct_fields(output):
        return output
    (item,) = get_args(get_type_hints(output)["items"])
    return item


def struct_fields(type_: Any) -> tuple[str, ...]:
    """Return the names of a struct's fields in JSON; none of what is no struct."""
    return type_.__struct_encode_fields__ if isinstance(type_, type) and issubclass(type_, Struct) else ()

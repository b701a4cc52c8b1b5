"""Declare what a path does: the routes and the OpenAPI document are both made from these declarations."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from read_api.gateway.call import Answer

Handler = Callable[..., Awaitable[Answer]]


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one path.

    *input* is the struct of the body, *query* that of the query, *output* that of the answer (None: no body).
    *action* is what the policy knows it as: who may not do it is refused before anything else is looked at.
    *patch* tells that the body is a merge patch; *optional_body* that it may be absent. *command* tells that it
    changes something, so that conditions, idempotency keys and the refusals of commands apply. *also* are other
    statuses of success, *statuses* other refusals. *deprecated* is since when it should not be used, *sunset* when it
    ends, *successor* the path to use instead. *unhurried* takes as long as it takes.
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
    conditional: bool = False
    hidden: bool = False
    statuses: tuple[int, ...] = ()
    also: tuple[int, ...] = ()
    deprecated: datetime | None = None
    sunset: datetime | None = None
    successor: str | None = None
    unhurried: bool = False


class Operations:
    """Collects the operations of one resource."""

    def __init__(self, tag: str) -> None:
        """Group them in the documentation under *tag*."""
        self.tag = tag
        self.all: list[Operation] = []

    def __call__(self, method: str, path: str, action: str, **fields: Any) -> Callable[[Handler], Handler]:
        """Declare the decorated handler as *method* of *path*; its docstring's first line is the summary."""

        def declare(handler: Handler) -> Handler:
            summary = (handler.__doc__ or "").strip().partition("\n")[0]
            self.all.append(
                Operation(
                    method=method,
                    path=path,
                    action=action,
                    handler=handler,
                    summary=summary,
                    tag=self.tag,
                    **fields,
                )
            )
            return handler

        return declare

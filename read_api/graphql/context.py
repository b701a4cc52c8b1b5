"""What resolvers work with: one request, who sends it, and what was loaded for it already."""

from collections.abc import Mapping
from typing import Any

from commands.position import START, Position
from domain.actor import Actor
from domain.policy import permit
from read_api.api import Api
from read_api.gateway.call import Call
from read_api.graphql.fast_path import Shapes
from read_api.graphql.loaders import Loaders


class Context:
    """One operation on its way; every root field passes `permit` with its action before anything is looked at."""

    def __init__(
        self, api: Api, headers: Mapping[str, str], request_id: str, state: dict[str, Any] | None = None
    ) -> None:
        """Keep what the request carries; header names are in lower case, *state* is that of its connection."""
        self.api = api
        self.state = {} if state is None else state
        self.headers = {name: value for name, value in headers.items() if name != "if-match"}
        self.request_id = request_id
        self.call = self.call_with()
        self.loaders = Loaders(self.call, self.call_of)
        self.position = START
        self.shapes: Shapes | None = None

    def anew(self, position: str | None = None) -> "Context":
        """Return a context of the same connection that has loaded nothing yet, and whose answers include *position*.

        Limits count it by itself.
        """
        headers = self.headers if position is None else {**self.headers, "codepark-after": position}
        return Context(self.api, headers, self.request_id, {"address": self.state.get("address", "")})

    @property
    def actor(self) -> Actor:
        """Return who sends the request; raises HttpError 401."""
        return self.call.actor

    def permit(self, action: str) -> None:
        """Refuse who may not do *action* anywhere; raises ForbiddenError and HttpError 401."""
        permit(self.call.actor, action)

    def call_of(self, project_id: str) -> Call:
        """Return the call for what concerns one project: with events among the dead letters it is not answered."""
        return Call(self.api, self.headers, {"project_id": project_id}, {}, self.request_id, self.state)

    def call_with(
        self, *, path: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Call:
        """Return a call that carries these too."""
        carried = {**self.headers, **(headers or {})}
        return Call(self.api, carried, dict(path or {}), {}, self.request_id, self.state)

    def moved(self, position: Position) -> None:
        """Note where a command of this request has led to."""
        self.position = self.position.join(position)

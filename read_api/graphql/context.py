"""What resolvers work with: one request, its sender, and what was loaded for it already."""

from collections.abc import Mapping
from typing import Any

from commands.position import START, Position
from domain.actor import Actor
from domain.policy import permit
from read_api.api import Api
from read_api.gateway.call import Call
from read_api.graphql.fast_path import Extractors
from read_api.graphql.loaders import Loaders


class Context:
    """One operation; every root field passes `permit` with its action before anything else is looked at."""

    def __init__(
        self, api: Api, headers: Mapping[str, str], request_id: str, state: dict[str, Any] | None = None
    ) -> None:
        """Keep what the request carries; header names are in lower case, *state* is the connection's."""
        self.api = api
        self.state = {} if state is None else state
        self.headers = dict(headers)
        self.request_id = request_id
        self.call = Call(api, self.headers, {}, {}, request_id, self.state)
        self.loaders = Loaders(self.call)
        self.position = START
        self.extractors: Extractors | None = None

    def renewed(self, position: str | None = None) -> "Context":
        """Return a context of the same connection with nothing loaded; its answers include *position*.

        Limits count it separately.
        """
        headers = self.headers if position is None else {**self.headers, "codepark-after": position}
        return Context(self.api, headers, self.request_id, {"address": self.state.get("address", "")})

    @property
    def actor(self) -> Actor:
        """Return the sender of the request; raises HttpError 401."""
        return self.call.actor

    def permit(self, action: str) -> None:
        """Refuse a sender who may not do *action* anywhere; raises ForbiddenError and HttpError 401."""
        permit(self.call.actor, action)

    def moved(self, position: Position) -> None:
        """Add the position after a command of this request, for the answer's header."""
        self.position = self.position.join(position)

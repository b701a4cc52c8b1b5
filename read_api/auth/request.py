"""The port through which signing in sees a request: the gateway is above this package."""

from collections.abc import Mapping
from typing import Protocol

from commands.outcomes import Accepted
from domain.actor import Actor
from domain.command import Command
from read_api.auth.identity import Identity


class CredentialRequest(Protocol):
    """A request that opens, refreshes or ends a session, or changes a password."""

    @property
    def identity(self) -> Identity:
        """Return the parts that signing in works with."""
        ...

    @property
    def address(self) -> str:
        """Return the address that the request comes from; of IPv6 its network."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers of the request, their names in lower case."""
        ...

    async def execute_and_wait(self, command: Command, actor: Actor) -> Accepted:
        """Carry out *command* for *actor*, and wait until this process has its events."""
        ...

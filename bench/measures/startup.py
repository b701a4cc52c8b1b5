"""Starting with a history: how long until ready, and what the memory is then."""

from collections.abc import Callable

from bench.processes import Server
from bench.session import Session

Starter = Callable[[], tuple[Server, float]]


def restart(session: Session, serve: Starter, about: str, name: str) -> None:
    """Stop the contestant and start it again on the same data, as often as the plan says."""
    taken = []
    for _ in range(session.plan.repeats):
        session.server.stop()
        session.server, seconds = serve()
        taken.append(1000 * seconds)
    session.add(f"startup-{name}", taken, "ms", "lower", f"start until ready, {about}")
    session.remember_memory(f"startup-{name}")

"""Starting with a history: how long until ready, and what the memory is then."""

from bench.session import Session


def restart(session: Session, about: str, name: str) -> None:
    """Stop the contestant and start it again on the same data, as often as the plan says."""
    taken = [1000 * session.restart() for _ in range(session.plan.repeats)]
    session.add(f"startup-{name}", taken, "ms", "lower", f"start until ready, {about}")
    session.remember_memory(f"startup-{name}")


def startup(session: Session) -> None:
    """Start again with what the other measures have left."""
    restart(session, "with the events of the measures above", "after-load")

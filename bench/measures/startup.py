"""A start with a history: the time until ready, and the memory afterwards."""

from bench.session import Session


def restart(session: Session, about: str, name: str) -> None:
    """Stop the contestant and start it again on the same data, as often as the plan says."""
    milliseconds = [1000 * session.restart() for _ in range(session.plan.repeats)]
    session.add(f"startup-{name}", milliseconds, "ms", "lower", f"start until ready, {about}")
    session.remember_memory(f"startup-{name}")


def startup(session: Session) -> None:
    """Start again with the events of the other measures."""
    restart(session, "with the events of the measures above", "after-load")

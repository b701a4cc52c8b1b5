"""What may go wrong in a run, and how often."""

from dataclasses import dataclass

from hypothesis import strategies as st

RATES = (0.0, 0.0, 0.03, 0.15, 0.4)
_LARGE = 8 * 1024 * 1024
SMALL = 4_000
"""A size at which a batch of three records is cut."""


@dataclass(frozen=True)
class Plan:
    """The parameters of a run; what happens within it follows from *seed*."""

    seed: int = 0
    nodes: int = 2
    clients: int = 3
    operations: int = 6
    prefer: bool = True
    """Whether commands are forwarded to a preferred node."""
    burst: float = 0.5
    """How often a client sends its next command without a pause, so that batches form."""
    ack_lost: float = 0.0
    lost: float = 0.0
    late: float = 0.0
    twice: float = 0.0
    offset_unknown: float = 0.0
    """How often a batch is acknowledged without its offset."""
    unavailable: float = 0.0
    """How often the broker does not answer a read."""
    net_lost: float = 0.0
    """How often a request or an answer between client and node, or two nodes, is lost."""
    crashes: int = 0
    stalls: int = 0
    failovers: int = 0
    outages: int = 0
    garbage: int = 0
    markers: int = 0
    forgeries: int = 0
    """Foreign records that carry a wrong chain and lie at the place they name."""
    truncations: int = 0
    """Unclean elections: acknowledged records are lost."""
    batch_bytes: int = _LARGE
    scripted: bool = False
    """Whether a script causes the events: the counts above then only say what to expect."""

    @property
    def honest(self) -> bool:
        """Return whether nothing in the plan justifies an alarm."""
        return not self.truncations and not self.forgeries


def plans(**fixed: object) -> st.SearchStrategy[Plan]:
    """Draw plans; *fixed* gives fields that are not drawn."""
    rate, few = st.sampled_from(RATES), st.integers(0, 3)
    drawn: dict[str, st.SearchStrategy[object]] = {
        "seed": st.integers(0, 2**32 - 1),
        "nodes": st.integers(1, 4),
        "clients": st.integers(1, 4),
        "operations": st.integers(1, 7),
        "prefer": st.booleans(),
        "burst": st.sampled_from((0.2, 0.6, 0.9)),
        **dict.fromkeys(
            ("ack_lost", "lost", "late", "twice", "offset_unknown", "unavailable", "net_lost"), rate
        ),
        **dict.fromkeys(("crashes", "stalls", "failovers", "garbage", "markers"), few),
        "outages": st.integers(0, 1),
        "forgeries": st.sampled_from((0, 0, 0, 1)),
        "truncations": st.sampled_from((0, 0, 0, 0, 1)),
        "batch_bytes": st.sampled_from((SMALL, _LARGE)),
    }
    drawn.update({name: st.just(value) for name, value in fixed.items()})
    return st.builds(Plan, **drawn)

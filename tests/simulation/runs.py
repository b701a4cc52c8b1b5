"""Run a plan and check it."""

import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tests.simulation.check import problems
from tests.simulation.clients import crowd
from tests.simulation.faults import Plan
from tests.simulation.world import World

Script = Callable[[World], Coroutine[Any, Any, None]]


def run(plan: Plan, script: Script = crowd) -> list[str]:
    """Return the promises that the run broke; the same plan gives the same run."""
    with tempfile.TemporaryDirectory(prefix="codepark-simulation-") as folder:
        world = World(plan, Path(folder))
        with world.patched():
            try:
                world.run(script)
                return problems(world)
            finally:
                world.close()

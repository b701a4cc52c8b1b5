"""Clients: commands on few projects, retried under the same key while their outcome is unknown."""

import asyncio
from random import Random

from msgspec import structs

from commands.outcomes import Accepted, Refused, Submission
from domain.actor import Actor, Role
from domain.command import Command
from domain.file.commands import DeleteFile, WriteFile
from domain.identifiers import file_stream, project_stream
from domain.project.commands import CreateProject, UpdateProject
from domain.project.events import Visibility
from tests.simulation.world import World

ADA = Actor(id="01900000-0000-7000-8000-00000000000a", roles=frozenset({Role.USER}))
_PROJECTS = ("a", "b")
_PATHS = ("x.py", "y.py")
_NAMES = ("one", "two", "three")
_TRIES = 4


def submission(
    world: World, command: Command, *, key: str | None = None, expected: int | None = None
) -> Submission:
    """Return a submission; its body identifies it under its key."""
    return Submission(
        command=command,
        command_id=f"key-{key}" if key else world.new_id("command"),
        actor=ADA,
        keyed=key is not None,
        fingerprint=repr((command, expected)) if key else None,
        expected_version=expected,
    )


def create(world: World, project: str, **options: object) -> Submission:
    """Return the creation of *project*."""
    command = CreateProject(
        project_id=project, name="new", description="", visibility=Visibility.PUBLIC, language=None
    )
    return submission(world, command, **options)  # type: ignore[arg-type]


def rename(world: World, project: str, name: str, **options: object) -> Submission:
    """Return a change of the name of *project*."""
    return submission(world, UpdateProject(project_id=project, changes={"name": name}), **options)  # type: ignore[arg-type]


class Client:
    """Sends one command after another, to any node."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        self._random = Random(world.random.random())
        self._number = number
        self._versions: dict[str, int] = {}
        self._keyed: list[Submission] = []

    async def work(self) -> None:
        """Send as many commands as the plan says; some are still running when the next one is sent."""
        running: list[asyncio.Task[None]] = []
        for _ in range(self._world.plan.operations):
            running.append(asyncio.create_task(self._carry_through(self._next())))
            if self._random.random() > self._world.plan.burst:
                await asyncio.sleep(self._random.random())
            if self._random.random() < 0.4:
                await running[-1]
        await asyncio.gather(*running)

    async def _carry_through(self, wanted: Submission) -> None:
        draw, world = self._random, self._world
        node = draw.choice(world.nodes)
        for _ in range(_TRIES):
            request = await world.ask(node, wanted, draw.choice((0.5, 3.0, 12.0, 20.0)))
            if isinstance(request.outcome, Accepted):
                self._versions[request.outcome.stream] = request.outcome.version
            if isinstance(request.outcome, Accepted | Refused) and draw.random() < 0.85:
                return
            if not wanted.keyed:
                return  # a retry would be another command
            if draw.random() < 0.5:
                node = draw.choice(world.nodes)
            await asyncio.sleep(draw.random() * 0.3)

    def _next(self) -> Submission:
        draw, world = self._random, self._world
        if self._keyed and draw.random() < 0.1:  # another body under a key that was used
            return structs.replace(draw.choice(self._keyed), fingerprint=f"other-{draw.randrange(2)}")
        command = self._command()
        stream = (
            file_stream(command.project_id, command.path)
            if isinstance(command, WriteFile | DeleteFile)
            else project_stream(command.project_id)
        )
        expected = None
        if draw.random() < 0.6 and not isinstance(command, CreateProject):
            expected = max(self._versions.get(stream, 1) + draw.choice((0, 0, 0, 1, 2)), 0)
        key = f"{self._number}-{len(self._keyed)}" if draw.random() < 0.75 else None
        drawn = submission(world, command, key=key, expected=expected)
        if key:
            self._keyed.append(drawn)
        return drawn

    def _command(self) -> CreateProject | UpdateProject | WriteFile | DeleteFile:
        draw = self._random
        project, path, kind = draw.choice(_PROJECTS), draw.choice(_PATHS), draw.random()
        if kind < 0.25:
            return create(self._world, project).command  # type: ignore[return-value]
        if kind < 0.65:
            return UpdateProject(project_id=project, changes={"name": draw.choice(_NAMES)})
        if kind < 0.9:
            return WriteFile(project_id=project, path=path, content=draw.choice(_NAMES), encoding=None)
        return DeleteFile(project_id=project, path=path)


async def crowd(world: World) -> None:
    """Let the plan's clients work."""
    first = Client(world, 0)
    for project in _PROJECTS:
        await world.ask(world.nodes[0], create(world, project, key=f"first-{project}"))
    clients = [first, *(Client(world, number) for number in range(1, world.plan.clients))]
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.work())

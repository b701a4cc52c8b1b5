"""One subscriber's view of the live source: its filter, its place, what it may see."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from functools import partial
from typing import TypeVar

from commands.position import Position
from domain.actor import Actor
from domain.project.events import ProjectDeleted
from read_api.realtime.events import TECHNICAL, Shown
from read_api.realtime.hub import Hub

_ACCESS = ("project.", "collaborator.")
_REMEMBERED = 1_000

T = TypeVar("T")


class Subscription:
    """The events behind a place that pass a filter and that *actor* may see, for as long as somebody asks."""

    def __init__(
        self,
        hub: Hub,
        visible: Callable[[str, Actor], bool],
        actor: Actor,
        position: Position,
        *,
        projected: Callable[[int, int], Awaitable[None]],
        projects: frozenset[str] | None = None,
        topics: frozenset[str] | None = None,
        in_threads: bool = False,
        published: Callable[[Shown], Shown | None] | None = None,
    ) -> None:
        """Start behind *position*, with `begin`; None for *projects* or *topics* stands for all.

        *published* is what an analyst is shown of what *actor* may not see.

        *visible* answers by the read model, which may lag behind the log: *projected* waits until it includes a
        sequence of a partition. *in_threads* tells that *visible* asks over a network.
        """
        self._hub = hub
        self._visible = visible
        self._actor = actor
        self._projected = projected
        self._projects = projects
        self._topics = topics
        self._in_threads = in_threads
        self._published = published if actor.analyses else None
        self._allowed: dict[str, bool] = {}
        self.position = position
        self.after = {partition: position.sequence(partition) for partition in self._partitions()}

    def _partitions(self) -> Iterable[int]:
        """Return the partitions that may have events for this subscription."""
        if self._projects is None:
            return range(self._hub.partitions)
        return sorted({self._hub.number_of(project) for project in self._projects})

    async def begin(self) -> None:
        """Note which of the projects may be seen; the read model must include the start already."""
        projects = self._projects or frozenset()
        self._allowed = await self._asked(
            lambda: {project: self._visible(project, self._actor) for project in projects}
        )

    async def batches(self) -> AsyncGenerator[list[Shown], None]:
        """Yield events as they come, each partition's in order; end when the server stops."""
        while not self._hub.draining:
            await self._hub.changed(self.after)
            for partition in self.after:
                events = self._hub.events(self.after[partition], partition)
                if events:
                    yield await self._taken(events, partition)

    async def _asked(self, ask: Callable[[], T]) -> T:
        """Ask the read model: here, or in a thread where that goes over a network."""
        return await asyncio.to_thread(ask) if self._in_threads else ask()

    async def _taken(self, events: list[Shown], partition: int) -> list[Shown]:
        """Move behind *events*, and return those that pass."""
        last = events[-1]
        if not self._actor.sees_all:
            await self._projected(last.sequence, partition)
        passing = await self._asked(partial(self._passing, events))
        self.after[partition] = last.sequence
        self.position = self.position.moved(last.place)
        return passing

    def _passing(self, events: list[Shown]) -> list[Shown]:
        """Return the events that pass, each with the place of the whole subscription behind it.

        With one partition that is the event's own, and the bytes are shared by all subscribers.
        """
        passing = [found for event in events if (found := self._seen(event)) is not None]
        if self._hub.partitions == 1:
            return passing
        return [event.at(self.position.moved(event.place)) for event in passing]

    def _seen(self, event: Shown) -> Shown | None:
        """Return the event as the actor may see it; None where the filter or the policy keeps it back."""
        if not self._actor.only_analyses and self._passes(event):
            return event
        return self._published(event) if self._published is not None and self._asked_for(event) else None

    def _asked_for(self, event: Shown) -> bool:
        if self._projects is not None and event.home not in self._projects:
            return False
        return self._topics is None or event.topic in self._topics

    def _passes(self, event: Shown) -> bool:
        before = None
        if event.topic.startswith(_ACCESS):
            before = self._allowed.pop(event.home, None)  # who may see the project may have changed
        if not self._asked_for(event):
            return False
        if self._actor.sees_all:
            return True
        if event.topic.startswith(TECHNICAL):
            return False
        allowed = self._allowed.get(event.home)
        if allowed is None:
            if len(self._allowed) > _REMEMBERED:
                self._allowed.clear()
            allowed = self._allowed[event.home] = self._visible(event.home, self._actor)
        # That a project is gone is told to who has followed it, though nobody may see it any more.
        return allowed or (before is True and event.topic == ProjectDeleted.TOPIC)

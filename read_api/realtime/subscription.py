"""One subscription: its filter, the position it has reached, and what its actor may see."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from commands.position import Position
from domain.actor import Actor
from domain.project.events import ProjectDeleted
from domain.project.private_time import SeenHistory
from read_api.realtime.event_buffer import Stretch
from read_api.realtime.events import TECHNICAL, PendingEvent, RenderedEvent
from read_api.realtime.hub import Hub

_ACCESS = ("project.", "collaborator.")
_MOST_CACHED = 1_000

T = TypeVar("T")


class Subscription:
    """The events after a position that pass a filter and that *actor* may see."""

    def __init__(
        self,
        hub: Hub,
        history_of: Callable[[str, Actor], SeenHistory | None],
        actor: Actor,
        position: Position,
        *,
        projected: Callable[[int, int], Awaitable[None]],
        projects: frozenset[str] | None = None,
        topics: frozenset[str] | None = None,
        passes: Callable[[PendingEvent | RenderedEvent], bool] | None = None,
        in_threads: bool = False,
        published: Callable[[RenderedEvent], RenderedEvent | None] | None = None,
    ) -> None:
        """Subscribe to the events after *position* that pass; call `begin` first.

        No *projects* or *topics* means all; *passes* looks at everything else, in the form that *actor* gets.

        *published* returns the public form of an event that *actor* may not see, for analysts. The filter
        then compares the names in that form: a guessed id finds nothing.

        *history_of* asks the read model, which may lag behind the log, what the actor sees of a project;
        *projected* waits until it includes a sequence of a partition. *in_threads* says that *history_of*
        asks over a network, and so must not run in the event loop.
        """
        self._hub = hub
        self._history_of = history_of
        self._actor = actor
        self._projected = projected
        self._projects = projects
        self._topics = topics
        self._filter = passes
        self._in_threads = in_threads
        self._published = published if actor.analyses and not actor.sees_all else None
        self._histories: dict[str, SeenHistory | None] = {}
        self.position = position
        self.after = {partition: position.sequence(partition) for partition in self._partitions()}

    def _partitions(self) -> Iterable[int]:
        """Return the partitions that may have events for this subscription.

        A pseudonym does not say in which partition its project is.
        """
        if self._projects is None or self._published is not None:
            return range(self._hub.partitions)
        return sorted({self._hub.number_of(project) for project in self._projects})

    async def begin(self) -> None:
        """Note what the actor sees of each project; the read model must have reached the start position."""
        projects = self._projects or frozenset()
        self._histories = await self._query(
            lambda: {project: self._history_of(project, self._actor) for project in projects}
        )

    async def batches(self) -> AsyncGenerator[list[RenderedEvent], None]:
        """Yield events as they are appended, in order within each partition, until the server stops."""
        while not self._hub.draining:
            await self._hub.changed(self.after)
            for partition in self.after:
                stretch = await self._next(partition)
                if stretch is not None:
                    yield await self._advance(stretch, partition)

    async def _next(self, partition: int) -> Stretch | None:
        """Return the next events of *partition*, None where there are none yet.

        What lies far back is read in a thread: it may be the whole history. Of a subscription to a single
        project, only the project's own events are read.
        """
        after = self.after[partition]
        if self._hub.tip(partition) <= after:
            return None
        stretch = self._hub.buffered(after, partition)
        if stretch is not None:
            return stretch
        alone = self._projects is not None and len(self._projects) == 1 and self._published is None
        home = next(iter(self._projects or ())) if alone else None
        return await asyncio.to_thread(self._hub.read, after, partition, home)

    async def _query(self, query: Callable[[], T]) -> T:
        """Ask the read model; in a thread where that goes over a network."""
        return await asyncio.to_thread(query) if self._in_threads else query()

    async def _advance(self, stretch: Stretch, partition: int) -> list[RenderedEvent]:
        """Move the position past *stretch*, and return the events that the subscriber gets."""
        if not self._actor.sees_all:
            await self._projected(stretch.sequence, partition)
        passing = await self._query(partial(self._passing, stretch.events))
        self.after[partition] = stretch.sequence
        self.position = self.position.moved(stretch.position)
        if not passing:
            await asyncio.sleep(0)  # nothing is sent, so nothing else would let others run
        return passing

    def _passing(self, events: Sequence[PendingEvent]) -> list[RenderedEvent]:
        """Return the events that the subscriber gets, each with the position of the subscription after it.

        With one partition that is the event's own position, and all subscribers share its bytes.
        """
        passing = [form for event in events if (form := self._visible_form(event)) is not None]
        if self._hub.partitions == 1:
            return passing
        return [event.at(self.position.moved(event.position)) for event in passing]

    def _visible_form(self, event: PendingEvent) -> RenderedEvent | None:
        """Return the event in the form that the actor may see, None where filter or policy exclude it.

        What they exclude is never decoded. An event that the actor sees as it is has no public form for them.
        """
        before = None
        if event.topic.startswith(_ACCESS):
            before = self._histories.pop(event.home, None)  # the event may change who sees the project
        matches = self._matches_filter(event)
        if not matches and self._published is None:
            return None
        if not self._actor.only_analyses and self._sees(event, before):
            return event.rendered if matches else None
        if self._published is None or (self._topics is not None and event.topic not in self._topics):
            return None
        published = self._published(event.rendered)
        return published if published is not None and self._matches_filter(published) else None

    def _matches_filter(self, event: PendingEvent | RenderedEvent) -> bool:
        if self._projects is not None and event.home not in self._projects:
            return False
        if self._topics is not None and event.topic not in self._topics:
            return False
        return self._filter is None or self._filter(event)

    def _sees(self, event: PendingEvent, before: SeenHistory | None) -> bool:
        """Return whether the actor sees the event as it is; *before* it, they saw that of the project."""
        if self._actor.sees_all:
            return True
        if event.topic.startswith(TECHNICAL):
            return False
        if event.home not in self._histories:
            if len(self._histories) > _MOST_CACHED:
                self._histories.clear()
            self._histories[event.home] = self._history_of(event.home, self._actor)
        history = self._histories[event.home]
        if history is None and event.topic == ProjectDeleted.TOPIC:
            history = before  # who could see the project gets its deletion, after which nobody sees it
        return history is not None and history.includes(event.sequence)

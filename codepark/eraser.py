"""Erase people completely: their keys, what was made from their data, and what is remembered of it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import structlog

from codepark.profiles.profile import Profile
from commands.bus import accepted
from commands.intake import CommandMetadata
from commands.log import LogUnavailableError, Selection
from commands.outcomes import Accepted
from commands.unit_of_work import load
from domain.account.events import AccountErased
from domain.actor import SERVICE
from domain.command import Command
from domain.erasure.commands import CompleteErasure
from domain.identifiers import ACCOUNTS_HOME, erasure_stream
from domain.record import Record
from projections.queries.traces import TraceQueries
from projections.store import StoreUnavailableError

_RETRY_SECONDS = 1.0
_LOOK_SECONDS = 0.02
_CATCH_UP_SECONDS = 60.0
_PAGE = 100

Forget = Callable[[], None]

logger = structlog.get_logger(__name__)


class Eraser:
    """Follows the log: an account that is erased there is erased everywhere, even after a crash on the way.

    First the keys: from then on nothing can decrypt what the log, its copies and its backups hold. Then the
    documents that were made from it: their ids become events, so that every read model forgets them in the
    order of all events, and a rebuild gives the same. The account's `erasure.completed` says that all is
    done; the next start continues an erasure that has none. Each step may be repeated.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        forget_here: Sequence[Forget],
        forget: Sequence[Forget],
        forget_mail: Callable[[str], None],
    ) -> None:
        """Erase in *profile*; *forget_here* empties the memory of this process, *forget* the caches.

        *forget_mail* deletes the mail about an account.
        """
        self._profile = profile
        self._forget_here = forget_here
        self._forget = forget
        self._forget_mail = forget_mail
        self._traces = TraceQueries(profile.store)
        self._pending: dict[str, AccountErased] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._resumed = False
        self._thread = threading.Thread(target=self._run, name="eraser", daemon=True)
        profile.logs.accounts.on_append(self._appended, frozenset({AccountErased.TOPIC}))

    def start(self) -> None:
        """Start the thread, which first looks for erasures that are not completed."""
        self._thread.start()

    def wait(self, account_id: str, seconds: float) -> bool:
        """Wait until the erasure of an account is completed; False where that takes longer than *seconds*."""
        with self._changed:
            return self._changed.wait_for(lambda: account_id not in self._pending or self._ended, seconds)

    def close(self) -> None:
        """End the thread; the next start continues what is not completed."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _appended(self, records: Sequence[Record]) -> None:
        """Forget the keys before anything later is read, and leave the rest to the thread."""
        for record in records:
            if record.topic == AccountErased.TOPIC:
                event = self._event(record)
                self._profile.keys.forget((event.account_id, *event.authors))
                for forget in self._forget_here:
                    forget()
                with self._changed:
                    self._pending[event.account_id] = event
                    self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._ended or not self._resumed)
                if self._ended:
                    return
                pending = list(self._pending.values())
            steps: list[Callable[[], None]] = [] if self._resumed else [self._resume]
            steps += [partial(self._erase, event) for event in pending]
            results = [
                self._succeeded(step) for step in steps
            ]  # each is tried, also after another one failed
            if not all(results):
                self._pause(_RETRY_SECONDS)

    def _succeeded(self, step: Callable[[], None]) -> bool:
        """Carry out a step, and return whether that succeeded."""
        try:
            step()
        except (LogUnavailableError, StoreUnavailableError) as error:
            logger.warning("an erasure waits", reason=str(error))
            return False
        except Exception:
            logger.exception("an erasure failed; it is tried again")
            return False
        return True

    def _resume(self) -> None:
        """Find the erasures that are not completed; raises LogUnavailableError."""
        open_erasures = list(self._not_completed())
        with self._changed:
            for event in open_erasures:
                self._pending.setdefault(event.account_id, event)
        self._resumed = True

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended, seconds)

    def _not_completed(self) -> Iterator[AccountErased]:
        """Yield the erasures whose end the log does not have."""
        log = self._profile.logs.accounts
        after, selection = 0, Selection(topics=(AccountErased.TOPIC,))
        while records := log.read(after, _PAGE, selection):
            after = records[-1].sequence
            for record in records:
                event = self._event(record)
                if not load(log, erasure_stream(ACCOUNTS_HOME, event.account_id)).state.completed:
                    yield event

    def _event(self, record: Record) -> AccountErased:
        event = self._profile.logs.accounts.event(record)
        assert isinstance(event, AccountErased)  # noqa: S101 # by its topic
        return event

    def _erase(self, event: AccountErased) -> None:
        people = (event.account_id, *event.authors)
        self._profile.keys.destroy(people)
        self._forget_caches()
        self._catch_up()
        for person in people:
            of = self._traces.of_account if person == event.account_id else self._traces.of_author
            for command in list(of(person)):
                self._carry_out(command)
        self._catch_up()  # the read models have forgotten before the log says that it is completed
        self._forget_caches()
        self._forget_mail(event.account_id)
        for scrub in self._profile.scrubs:
            scrub()
        self._carry_out(CompleteErasure(account_id=event.account_id))
        logger.info("a person was erased")
        with self._changed:
            self._pending.pop(event.account_id, None)
            self._changed.notify_all()

    def _forget_caches(self) -> None:
        for forget in self._forget:
            forget()

    def _catch_up(self) -> None:
        """Wait until the read models include all that is in the log now; raises StoreUnavailableError."""
        profile, deadline = self._profile, time.monotonic() + _CATCH_UP_SECONDS
        for partition, sequence in profile.logs.tip().sequences.items():
            for model in profile.main_models:
                while profile.progress.sequence(model, partition) < sequence:
                    if self._ended or time.monotonic() > deadline:
                        raise StoreUnavailableError(f"{model} does not include the erasure in time")
                    self._pause(_LOOK_SECONDS)

    def _carry_out(self, command: Command) -> Accepted:
        """Carry out a command. Several nodes may do so: erasing a trace twice changes nothing."""
        submission = self._profile.intake.submit(command, None, CommandMetadata(actor=SERVICE))
        return accepted(self._profile.bus.execute_sync([submission])[0])

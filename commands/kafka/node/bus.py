"""The command bus of a node: commands from any loop or thread, decided and appended in the Kafka loop."""

from collections.abc import Callable, Sequence

from commands.kafka.node.event_log import KafkaEventLog
from commands.kafka.node.settlement import Settlement
from commands.queue import LoopWorker
from commands.queued_bus import QueuedBus, Ticket
from commands.unit_of_work import SettledStates
from domain.record import Record
from domain.times import Clock, system_clock


class KafkaCommandBus(QueuedBus):
    """Decide a batch, append it in one RecordBatch, and answer once it is settled."""

    def __init__(
        self,
        log: KafkaEventLog,
        clock: Clock = system_clock,
        *,
        log_of: Callable[[str], KafkaEventLog] | None = None,
    ) -> None:
        """Work in the loop of *log*; *log_of* gives the log of a home key, where there are several."""
        self._log = log
        self._states = SettledStates(log, log_of=log_of)
        super().__init__(Settlement(log, self._states, clock, log_of=log_of).outcomes, self._states.forget)
        self._worker: LoopWorker[Ticket] = LoopWorker(log.thread.loop, self.queue, self.carry_out)
        log.on_foreign(self._drop_changed)

    def close(self, timeout: float = 10.0) -> None:
        """Answer what waits, then take nothing more."""
        self.queue.close()
        self._log.thread.run(self._worker.drained(), timeout)

    def _drop_changed(self, records: Sequence[Record]) -> None:
        """Forget what other writers changed; no records at all means that the replica is being rebuilt."""
        if records:
            self._states.drop(record.stream for record in records)
        else:
            self._states.forget()

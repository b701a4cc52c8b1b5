"""What must hold at the end of a run, once everything is healed and everybody has read to the end."""

from collections import defaultdict

from commands.kafka.protocol.message import Message
from commands.log import LogCorruptError
from commands.outcomes import Accepted, Refused, Unavailable
from tests.simulation.history import Effect, History
from tests.simulation.world import Request, World


def problems(world: World) -> list[str]:
    """Return every rule that the run broke."""
    try:
        history = History(world.broker)
    except LogCorruptError as error:
        return [f"the history contradicts itself: {error}"]
    found = [*world.problems, *_numbers(history), *_readers(world, history), *_faults(world)]
    effects = {effect.records[0].command: effect for effect in history.effects}
    excused = _lost(world, history)
    for request in world.requests:
        if request.submission.command_id not in excused:
            found += _answer(request, effects.get(request.submission.command_id), history, world)
    by_key = defaultdict(list)
    for request in world.requests:
        by_key[request.submission.command_id].append(request)
    for command, effect in effects.items():
        if not effect.technical and command not in excused:
            found += _asked_for(effect, by_key[command])
    return found


def _numbers(history: History) -> list[str]:
    """Sequences, versions and commands: gapless, gapless, once."""
    found, versions, commands = [], defaultdict(int), set()
    for index, record in enumerate(history.records, 1):
        if record.sequence != index:
            found.append(f"sequence {record.sequence} stands at {index}")
        versions[record.stream] += 1
        if record.version != versions[record.stream]:
            found.append(f"{record.stream} has {record.version} where {versions[record.stream]} is due")
    for effect in history.effects:
        command = effect.records[0].command
        if command in commands:
            found.append(f"{command} took effect twice")
        commands.add(command)
        if [item.command for item in effect.records] != [command] * effect.records[0].commit_count:
            found.append(f"{command} is torn")
    return found


def _readers(world: World, history: History) -> list[str]:
    """Every replica holds what a fresh reader counts.

    One exception: where records of nobody fill the very offsets that an unclean election lost, before anybody
    looks, no reader that is running can tell. Then whoever reads the log anew reports the fork.
    """
    found, chains = [], [record.chain for record in history.records]
    held = [[record.chain for record in node.log.read(0, 100_000)] for node in world.nodes]
    if world.broker.cut and history.forks and all(own == held[0] for own in held):
        return []
    for node, own in zip(world.nodes, held, strict=True):
        if own != chains:
            found.append(f"node {node.number} holds {len(own)} records, and the history has {len(chains)}")
    return found


def _faults(world: World) -> list[str]:
    found = []
    for node in world.nodes:
        partition = node.log.partition
        if partition.corrupt is not None:
            found.append(f"node {node.number}: {partition.corrupt}")
        if world.plan.honest and node.alarms:
            found.append(f"node {node.number} raised an alarm without a cause")
    unavailable = [item.outcome for item in world.requests if isinstance(item.outcome, Unavailable)]
    return found + [item.reason for item in unavailable if item.reason.startswith("internal error")]


def _lost(world: World, history: History) -> set[str]:
    """Return the commands that an unclean election lost, or that a writer of a false history appended.

    After such an election an alarm, wherever it was raised, tells that what those writers appended may be
    void.
    """
    raised = world.broker.cut and (history.forks or any(node.alarms for node in world.nodes))
    reported = history.voids if raised else history.forks
    lost = {_command(message) for message in (*world.broker.cut, *reported)}
    if world.broker.cut:  # what was refused or repeated may have rested on what is lost
        lost |= {
            request.submission.command_id
            for request in world.requests
            if isinstance(request.outcome, Refused)
        }
    return lost


def _command(message: Message) -> str:
    return next((value.decode() for name, value in message.headers if name == "command"), "")


def _answer(request: Request, effect: Effect | None, history: History, world: World) -> list[str]:
    """What a client was told is so."""
    match request.outcome:
        case Accepted() as told if not told.changed and not request.submission.keyed:
            return _found_unchanged(request, history) if world.plan.honest else []
        case Accepted() as told:
            return _accepted(request, told, effect)
        case Refused():
            return _refused(request, history)
        case _:
            return []


def _accepted(request: Request, told: Accepted, effect: Effect | None) -> list[str]:
    command = request.submission.command_id
    if effect is None:
        return [f"{command} was accepted and does not count"]
    found, outcome = [], effect.outcome
    facts = [(item.stream, item.version, item.position, item.changed) for item in (told, outcome)]
    if facts[0] != facts[1]:
        found.append(f"{command} was told {facts[0]}, and the history says {facts[1]}")
    if effect.landed > (request.answered or 0):
        found.append(f"{command} was accepted before it counted")
    if effect.records[0].fingerprint != request.submission.fingerprint:
        found.append(f"{command} was accepted with another body")
    if effect.before.refuses(request.submission):
        found.append(f"{command} counts where it is to be refused (expected version, or the state)")
    return found


def _found_unchanged(request: Request, history: History) -> list[str]:
    states = history.states(request.invoked, request.answered or 0)
    if any(state.unchanged(request.submission) and not state.refuses(request.submission) for state in states):
        return []
    return [f"{request.submission.command_id} was told that nothing changes, and at no moment it was so"]


def _refused(request: Request, history: History) -> list[str]:
    states = history.states(request.invoked, request.answered or 0)
    if any(state.refuses(request.submission) for state in states):
        return []
    return [
        f"{request.submission.command_id} was refused, and at no moment that was right: {request.outcome}"
    ]


def _asked_for(effect: Effect, requests: list[Request]) -> list[str]:
    """Some request was open when the command took effect: after a refusal it must have none."""
    body = effect.records[0].fingerprint
    same = [request for request in requests if request.submission.fingerprint == body]
    if any(request.invoked <= effect.landed <= _open_until(request, same) for request in same):
        return []
    return [f"{effect.records[0].command} took effect while nobody asked for it (refused before?)"]


def _open_until(request: Request, same: list[Request]) -> float:
    """Return until when *request* may take effect.

    One without an answer stays open; one that a node could not settle is open until that node, in the same
    life, answers the retry: from then on that answer stands.
    """
    if isinstance(request.outcome, Accepted | Refused):
        return request.answered if isinstance(request.outcome, Accepted) else -1.0
    later = [
        other.answered
        for other in same
        if request.answered is not None
        and request.alone
        and request.by == other.by
        and isinstance(other.outcome, Refused)
        and other.invoked >= request.answered
    ]
    return min(later, default=float("inf"))

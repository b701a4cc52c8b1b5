"""What must hold at the end of a run, once everything is healed and every node has read to the end."""

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
    broken = [*world.problems, *_numbers(history), *_readers(world, history), *_faults(world)]
    effects = {effect.records[0].command: effect for effect in history.effects}
    excused = _lost(world, history)
    for request in world.requests:
        if request.submission.command_id not in excused:
            broken += _answer(request, effects.get(request.submission.command_id), history, world)
    by_key = defaultdict(list)
    for request in world.requests:
        by_key[request.submission.command_id].append(request)
    for command, effect in effects.items():
        if not effect.technical and command not in excused:
            broken += _requested(effect, by_key[command])
    return broken


def _numbers(history: History) -> list[str]:
    """Sequences, versions and commands: gapless, gapless, once."""
    broken, versions, commands = [], defaultdict(int), set()
    for index, record in enumerate(history.records, 1):
        if record.sequence != index:
            broken.append(f"sequence {record.sequence} stands at {index}")
        versions[record.stream] += 1
        if record.version != versions[record.stream]:
            broken.append(f"{record.stream} has {record.version} where {versions[record.stream]} is due")
    for effect in history.effects:
        command = effect.records[0].command
        if command in commands:
            broken.append(f"{command} took effect twice")
        commands.add(command)
        if [item.command for item in effect.records] != [command] * effect.records[0].commit_count:
            broken.append(f"{command} is torn")
    return broken


def _readers(world: World, history: History) -> list[str]:
    """Every replica holds what counts for a new reader.

    There is one exception. Where foreign records fill exactly the offsets that an unclean election lost,
    before any node reads there, no running node can notice it. A node that reads the log from the start
    reports the fork.
    """
    broken, chains = [], [record.chain for record in history.records]
    held = [[record.chain for record in node.log.read(0, 100_000)] for node in world.nodes]
    if world.broker.cut and history.forks and all(own == held[0] for own in held):
        return []
    for node, own in zip(world.nodes, held, strict=True):
        if own != chains:
            broken.append(f"node {node.number} holds {len(own)} records, and the history has {len(chains)}")
    return broken


def _faults(world: World) -> list[str]:
    broken = []
    for node in world.nodes:
        partition = node.log.partition
        if partition.corrupt is not None:
            broken.append(f"node {node.number}: {partition.corrupt}")
        if world.plan.honest and node.alarms:
            broken.append(f"node {node.number} raised an alarm without a cause")
    unavailable = [item.outcome for item in world.requests if isinstance(item.outcome, Unavailable)]
    return broken + [item.reason for item in unavailable if item.reason.startswith("internal error")]


def _lost(world: World, history: History) -> set[str]:
    """Return the commands that an unclean election lost, or that a writer of a false history appended.

    After such an election, an alarm on any node means that the records of those writers may be void.
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
    """Every answer that a client got is true."""
    match request.outcome:
        case Accepted() as accepted if not accepted.changed and not request.submission.keyed:
            return _unchanged(request, history) if world.plan.honest else []
        case Accepted() as accepted:
            return _accepted(request, accepted, effect)
        case Refused():
            return _refused(request, history)
        case _:
            return []


def _accepted(request: Request, answer: Accepted, effect: Effect | None) -> list[str]:
    command = request.submission.command_id
    if effect is None:
        return [f"{command} was accepted and does not count"]
    broken = []
    facts = [(each.stream, each.version, each.position, each.changed) for each in (answer, effect.outcome)]
    if facts[0] != facts[1]:
        broken.append(f"{command} was answered with {facts[0]}, and the history says {facts[1]}")
    if effect.landed > (request.answered or 0):
        broken.append(f"{command} was accepted before it counted")
    if effect.records[0].fingerprint != request.submission.fingerprint:
        broken.append(f"{command} was accepted with another body")
    if effect.before.refuses(request.submission):
        broken.append(f"{command} counts where it had to be refused (expected version, or the state)")
    return broken


def _unchanged(request: Request, history: History) -> list[str]:
    states = history.states(request.invoked, request.answered or 0)
    if any(state.unchanged(request.submission) and not state.refuses(request.submission) for state in states):
        return []
    return [
        f"{request.submission.command_id} was answered as changing nothing, and at no moment that was right"
    ]


def _refused(request: Request, history: History) -> list[str]:
    states = history.states(request.invoked, request.answered or 0)
    if any(state.refuses(request.submission) for state in states):
        return []
    return [
        f"{request.submission.command_id} was refused, and at no moment that was right: {request.outcome}"
    ]


def _requested(effect: Effect, requests: list[Request]) -> list[str]:
    """Some request was open when the command took effect: after a refusal it must have none."""
    body = effect.records[0].fingerprint
    same = [request for request in requests if request.submission.fingerprint == body]
    if any(request.invoked <= effect.landed <= _open_until(request, same) for request in same):
        return []
    return [f"{effect.records[0].command} took effect while no request for it was open (refused before?)"]


def _open_until(request: Request, same: list[Request]) -> float:
    """Return until when *request* may take effect.

    A request without an answer stays open. One that a node could not settle is open until that node, in the
    same life, answers the retry; from then on that answer is final.
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

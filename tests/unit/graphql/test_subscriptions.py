"""What a subscription sends when the rights of its sender change."""

import asyncio
from types import SimpleNamespace

from commands.partitions import Logs
from read_api.graphql.subscriptions import decoded
from read_api.realtime.hub import Hub


def test_events_end_before_the_first_that_other_rights_chose(commands):
    """The socket itself notices only at its next look, a moment later."""
    authorized = True

    async def batches():
        for number in range(4):
            yield [SimpleNamespace(json=b"%d" % number), SimpleNamespace(json=b"%d" % (number + 10))]

    async def run():
        nonlocal authorized
        events = decoded(batches(), lambda: authorized, Hub(Logs([commands.log])))
        seen = []
        async for event in events:
            seen.append(event)
            authorized = len(seen) < 3
        return seen

    assert asyncio.run(run()) == [0, 10, 1]

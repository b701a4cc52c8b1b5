"""The application over the embedded profile in this process, without a socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import httpx

from codepark.cache_and_channel import CacheAndChannel
from codepark.composition import build_api, build_eraser
from codepark.profiles.embedded import EmbeddedProfile
from codepark.settings import Settings
from domain.actor import SERVICE, Tier
from read_api.app import create_app
from read_api.realtime.hub import Hub


@asynccontextmanager
async def in_process(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a new application over a data directory in *folder*.

    It has an operator's token of the tier pro, so that its requests are counted against limits that it does
    not meet.
    """
    settings = Settings(data=folder / "data")
    with ExitStack() as stack:
        profile = EmbeddedProfile(settings)
        stack.callback(profile.close)
        shared = CacheAndChannel(settings, profile.logs)
        stack.callback(shared.close)
        hub = Hub(profile.logs)
        eraser = build_eraser(profile, shared, hub)
        stack.callback(eraser.close)
        api = build_api(profile, shared, hub, eraser)
        loop = asyncio.get_running_loop()
        profile.progress.bind(loop)
        hub.start(loop)
        profile.start()
        token = api.identity.tokens.issue_access(SERVICE.id, SERVICE.roles, tier=Tier.PRO, operator=True)
        try:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(create_app(api)),
                base_url="http://127.0.0.1/api/v1",
                headers={"Authorization": f"Bearer {token}"},
            ) as client:
                yield client
        finally:
            await api.identity.close()

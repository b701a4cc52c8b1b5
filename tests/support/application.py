"""The embedded profile with its HTTP surface in this process: no port, and every part within reach."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from msgspec.structs import replace

from codepark.cache_and_channel import CacheAndChannel
from codepark.composition import build_api, build_eraser
from codepark.profiles.embedded import EmbeddedProfile
from codepark.settings import Settings
from domain.actor import SERVICE
from read_api.api import Api
from read_api.app import create_app
from read_api.gateway.limits.limits import Limits
from read_api.gateway.limits.memory import MemoryLimiter
from read_api.realtime.hub import Hub


def unlimited() -> Limits:
    """Return limits that let everything through."""
    return Limits(MemoryLimiter(), tiers=False, sign_in=False)


class Application(NamedTuple):
    """The profile, a client that acts as the service, and what the surface works with."""

    profile: EmbeddedProfile
    client: httpx.AsyncClient
    api: Api

    def anybody(self) -> httpx.AsyncClient:
        """Return a client without a token."""
        return httpx.AsyncClient(transport=self.client._transport, base_url="http://test")


@asynccontextmanager
async def application(path: Path, **changes: Any) -> AsyncIterator[tuple[EmbeddedProfile, httpx.AsyncClient]]:
    """Run an application as `whole_application` does; yield its profile and its client."""
    async with whole_application(path, **changes) as app:
        yield app.profile, app.client


@asynccontextmanager
async def whole_application(
    path: Path, adapt: Callable[[EmbeddedProfile, Api], Api] = lambda _, api: api, **changes: Any
) -> AsyncIterator[Application]:
    """Run an application over the folder *path*; *changes* and then *adapt* may change its `Api`."""
    settings = Settings(data=path / "data")
    profile = EmbeddedProfile(settings)
    shared = CacheAndChannel(settings, profile.logs)
    hub = Hub(profile.logs)
    eraser = build_eraser(profile, shared, hub)
    try:
        loop = asyncio.get_running_loop()
        api = adapt(profile, replace(build_api(profile, shared, hub, eraser), **changes))
        profile.bind(loop)
        hub.start(loop)
        profile.start()
        eraser.start()
        token = api.identity.tokens.issue_access(SERVICE.id, SERVICE.roles, operator=True)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(api)),
            base_url="http://test",
            headers={"Authorization": f"Bearer {token}"},
        ) as client:
            yield Application(profile, client, api)
        await api.identity.close()
    finally:
        eraser.close()
        shared.close()
        profile.close()

"""Random series of changes, compared with a model of what an account owns."""

import asyncio
from random import Random
from typing import ClassVar

import httpx
import pytest

from tests.support.quotas import ME, PROJECTS, commit, installation, put, written


class Owned:
    """What an account owns, kept by the test: files with their sizes, by project."""

    MOST: ClassVar = {"projects": 3, "files": 8, "bytes": 60}

    def __init__(self) -> None:
        self.projects: dict[str, dict[str, int]] = {}

    @property
    def used(self) -> dict[str, int]:
        sizes = [size for files in self.projects.values() for size in files.values()]
        return {"projects": len(self.projects), "files": len(sizes), "bytes": sum(sizes)}

    def has_room(self, project_id: str, sizes: dict[str, int | None]) -> bool:
        """Return whether files may get these sizes, None for deleted ones; if so, they have them now."""
        before, files = self.used, self.projects[project_id]
        self.projects[project_id] = {path: size for path, size in (files | sizes).items() if size is not None}
        after = self.used
        if all(after[name] <= max(before[name], most) for name, most in self.MOST.items()):
            return True
        self.projects[project_id] = files
        return False


@pytest.mark.parametrize("seed", range(3))
def test_exactly_what_passes_a_quota_is_refused(tmp_path, small, seed):
    """Any series of changes, compared with a model of what is owned."""
    small(projects=Owned.MOST["projects"], files=Owned.MOST["files"], bytes_=Owned.MOST["bytes"])
    random, owned = Random(seed), Owned()

    async def step(client: httpx.AsyncClient, number: int) -> None:
        projects = list(owned.projects)
        kind = random.choice(["create", "put", "put", "put", "delete", "commit", "remove"])
        if kind == "create" or not projects:
            answer = await client.post(PROJECTS, json={"name": "p"})
            assert answer.is_success is (len(projects) < Owned.MOST["projects"])
            if answer.is_success:
                owned.projects[answer.json()["id"]] = {}
            return
        id_, path, size = random.choice(projects), random.choice("abcdef"), random.randrange(25)
        if kind == "put":
            answer = await put(client, id_, path, "x" * size)
            assert answer.is_success is owned.has_room(id_, {path: size}), answer.text
        elif kind == "delete":
            await client.delete(f"{PROJECTS}/{id_}/files/{path}")
            owned.projects[id_].pop(path, None)
        elif kind == "commit":
            sizes = {path: random.choice([None, 0, 9]) for path in random.sample("abcdef", 3)}
            body = commit(
                f"{number:04}", *((path, None if n is None else "x" * n) for path, n in sizes.items())
            )
            answer = await client.post(f"{PROJECTS}/{id_}/commits", json=body)
            assert answer.is_success is owned.has_room(id_, sizes), answer.text
        elif number % 4 == 0:
            written(await client.delete(f"{PROJECTS}/{id_}"))
            del owned.projects[id_]

    async def run():
        async with installation(tmp_path) as here:
            client = await here.registered("ada")
            for number in range(80):
                await step(client, number)
            quotas = (await client.get(ME)).json()["quotas"]
            assert {name: quotas[name]["used"] for name in owned.used} == owned.used

    asyncio.run(run())

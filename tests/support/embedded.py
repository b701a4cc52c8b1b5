"""The embedded profile over a directory, started, and commands through it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import convert

from codepark.profiles.embedded import EmbeddedProfile
from codepark.settings import Settings
from commands.bus import accepted
from commands.intake import CommandMetadata
from commands.outcomes import Accepted
from commands.table.registry import CLIENT_COMMANDS
from domain.account.commands import RegisterAccount
from domain.actor import SERVICE, Actor
from projections.store import Change, DeadLetter


@contextmanager
def started(data: Path, **settings: Any) -> Iterator[EmbeddedProfile]:
    """Open the profile over *data* and start it."""
    profile = EmbeddedProfile(Settings(data=data, **settings))
    try:
        profile.start()
        yield profile
    finally:
        profile.close()


def settled(profile: EmbeddedProfile) -> int:
    """Wait until the insights are measured, and return the last sequence."""
    profile.catch_up(lambda *_: None)
    return profile.log.tip().sequence


def carry_out(
    profile: EmbeddedProfile, type_name: str, target: str = "", actor: Actor = SERVICE, **fields: Any
) -> Accepted:
    """Carry out a command of a client with these fields, which is accepted."""
    data = convert(fields, CLIENT_COMMANDS[type_name].input)
    submission = profile.intake.submission(type_name, data, CommandMetadata(actor=actor), target=target)
    return accepted(profile.bus.execute_sync([submission])[0])


def create_project(profile: EmbeddedProfile, name: str = "p", **fields: Any) -> str:
    """Create a project and return its id."""
    return carry_out(profile, "project.create", name=name, **fields).stream.removeprefix("project-")


def register(profile: EmbeddedProfile, name: str = "ada", *, verified: bool = True) -> str:
    """Register an account with the address `<name>@example.org`, and return its id."""
    account_id, email = f"01900000-0000-7000-8000-{len(name):012}", f"{name}@example.org"
    command = RegisterAccount(
        account_id=account_id,
        email=email,
        name=name,
        password_hash="unused",
        email_claim=profile.intake.claim("email", email),
        name_claim=profile.intake.claim("name", name),
        verified=verified,
    )
    submission = profile.intake.submit(command, None, CommandMetadata(actor=SERVICE))
    accepted(profile.bus.execute_sync([submission])[0])
    return account_id


def add_dead_letter(profile: EmbeddedProfile, project: str, sequence: int = 1) -> None:
    """Let the read model `projects` have failed at an event of *project*, as a runner stores it."""
    stream = f"project-{project}"
    letter = DeadLetter(
        model="projects", stream=stream, sequence=sequence, topic="project.created", reason="it was broken"
    )
    checkpoint = profile.store.checkpoints()["projects"]
    blocked = frozenset({stream})
    profile.store.apply(
        [
            Change(
                model="projects",
                writes=(),
                checkpoint=type(checkpoint)(sequence=checkpoint.sequence, blocked=blocked),
                dead_letters=(letter,),
            )
        ]
    )
    profile.runners[0].reload()

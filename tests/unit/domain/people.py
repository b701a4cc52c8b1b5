"""The people of the examples, and the projects that they share."""

from functools import reduce

from domain.actor import ANONYMOUS, Actor, Role
from domain.project import decider
from domain.project.events import CollaboratorAdded, CollaboratorRole, ProjectCreated, Visibility

__all__ = ["ANONYMOUS"]

USER = frozenset({Role.USER})
OWNER = Actor(id="owner", roles=USER)
MAINTAINER = Actor(id="maintainer", roles=USER)
EDITOR = Actor(id="editor", roles=USER)
VIEWER = Actor(id="viewer", roles=USER)
STRANGER = Actor(id="stranger", roles=USER)
ADMIN = Actor(id="admin", roles=frozenset({Role.ADMIN}))
AUDITOR = Actor(id="auditor", roles=frozenset({Role.AUDITOR}))
ANALYST = Actor(id="analyst", roles=frozenset({Role.ANALYST}))

PROJECT_ID = "p1"


def created(visibility=Visibility.PRIVATE, name="Park"):
    return ProjectCreated(
        project_id=PROJECT_ID,
        owner_id=OWNER.id,
        name=name,
        description="",
        visibility=visibility,
        language=None,
    )


TEAM = tuple(
    CollaboratorAdded(project_id=PROJECT_ID, account_id=actor.id, role=role)
    for actor, role in (
        (MAINTAINER, CollaboratorRole.MAINTAINER),
        (EDITOR, CollaboratorRole.EDITOR),
        (VIEWER, CollaboratorRole.VIEWER),
    )
)
PRIVATE = reduce(decider.evolve, (created(), *TEAM), decider.INITIAL)
PUBLIC = reduce(decider.evolve, (created(Visibility.PUBLIC), *TEAM), decider.INITIAL)

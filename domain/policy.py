"""The policy: one table that says who may do what. Every surface and every decider asks it by the action's name."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum

from msgspec import Struct

from domain.actor import Actor, Role
from domain.errors import ForbiddenError


class ProjectRole(IntEnum):
    """What an actor is in a project; each role includes the ones before."""

    VIEWER = 1
    EDITOR = 2
    MAINTAINER = 3
    OWNER = 4


class Scope(StrEnum):
    """What a token may be used for. A session's token has all scopes, an API token those that it was made with."""

    READ = "read"
    WRITE = "write"
    ACCOUNT = "account"
    ADMIN = "admin"


class Rule(Struct, frozen=True):
    """Who may do one thing.

    *roles* are those of which the actor needs one, None for nobody in particular: not even a signature is asked for.
    *project* is the role that is needed in the project that it is done to; None where there is none, or where seeing
    the project is enough. *scope* is what an API token needs.
    """

    roles: frozenset[Role] | None
    project: ProjectRole | None = None
    scope: Scope = Scope.READ


_ANY_ROLE = frozenset(Role)
_MEMBERS = frozenset({Role.USER, Role.ADMIN})
_ADMINS = frozenset({Role.ADMIN})

_ANYBODY = Rule(None)
_ANYBODY_WRITES = Rule(None, scope=Scope.WRITE)
_SIGNED_IN = Rule(_ANY_ROLE)
_OWN_ACCOUNT = Rule(_ANY_ROLE, scope=Scope.ACCOUNT)
_ADMIN = Rule(_ADMINS, scope=Scope.ADMIN)


def _member(needed: ProjectRole | None) -> Rule:
    return Rule(_MEMBERS, needed, Scope.WRITE)


POLICY: Mapping[str, Rule] = {
    # What is there for everybody, each according to what they may see.
    "system.read": _ANYBODY,
    "project.read": _ANYBODY,
    "events.read": _ANYBODY,
    "account.read": _ANYBODY,
    "announcement.read": _ANYBODY,
    "command.read": _ANYBODY,
    # Signing in and out: whoever has the credentials may.
    "account.register": _ANYBODY_WRITES,
    "session.open": _ANYBODY_WRITES,
    "session.refresh": _ANYBODY_WRITES,
    "session.end": _ANYBODY_WRITES,
    "password.reset": _ANYBODY_WRITES,
    "credentials.rehash_password": _ANYBODY_WRITES,
    "credentials.use_totp": _ANYBODY_WRITES,
    "credentials.use_recovery_code": _ANYBODY_WRITES,
    # One's own account, whatever its roles.
    "account.read_own": _SIGNED_IN,
    "notifications.list": _SIGNED_IN,
    "notifications.read": Rule(_ANY_ROLE, scope=Scope.WRITE),
    "account.change_profile": _OWN_ACCOUNT,
    "account.erase": _OWN_ACCOUNT,
    "account.secure": _OWN_ACCOUNT,
    "credentials.change_password": _OWN_ACCOUNT,
    "credentials.revoke_sessions": _OWN_ACCOUNT,
    "credentials.prepare_totp": _OWN_ACCOUNT,
    "credentials.enable_totp": _OWN_ACCOUNT,
    "credentials.disable_totp": _OWN_ACCOUNT,
    "token.create": _OWN_ACCOUNT,
    "token.revoke": _OWN_ACCOUNT,
    # Auditors and analysts read; these are the ones who change projects.
    "command.batch": Rule(_ANY_ROLE, scope=Scope.WRITE),
    "project.create": _member(None),
    "project.update": _member(ProjectRole.MAINTAINER),
    "project.publish": _member(ProjectRole.OWNER),
    "project.delete": _member(ProjectRole.OWNER),
    "collaborator.set": _member(ProjectRole.MAINTAINER),
    "collaborator.remove": _member(ProjectRole.MAINTAINER),
    "collaborator.leave": Rule(_ANY_ROLE, ProjectRole.VIEWER, Scope.WRITE),
    "file.write": _member(ProjectRole.EDITOR),
    "file.delete": _member(ProjectRole.EDITOR),
    "commit.record": _member(ProjectRole.EDITOR),
    "review.open": _member(ProjectRole.VIEWER),
    "review.comment": _member(ProjectRole.VIEWER),
    "review.decide": _member(ProjectRole.EDITOR),
    "review.close": _member(ProjectRole.VIEWER),
    "review.close_others": _member(ProjectRole.MAINTAINER),
    "build.queue": _member(ProjectRole.EDITOR),
    "build.move": _member(ProjectRole.EDITOR),
    "suggestion.accept": _member(ProjectRole.EDITOR),
    "suggestion.dismiss": _member(ProjectRole.EDITOR),
    # The platform itself.
    "announcement.publish": _ADMIN,
    "account.change_standing": _ADMIN,
    "account.administer": _ADMIN,
    "system.operate": _ADMIN,
    "signing.rotate": _ADMIN,
    "erasure.erase_traces": _ADMIN,
    "erasure.complete": _ADMIN,
}
"""Every action, by the name of its command or, for what is no command, a name of its own."""


def permit(actor: Actor, action: str) -> None:
    """Refuse an actor whose roles do not allow *action* anywhere; what a project's state decides comes on top.

    Raises:
        ForbiddenError: nobody has signed in (`authentication_required`), a role is missing (`role_required`), or the
            token was made for less (`scope_required`).
        KeyError: there is no such action.
    """
    rule = POLICY[action]
    if rule.roles is not None and actor.roles.isdisjoint(rule.roles):
        if actor.is_anonymous:
            raise ForbiddenError("sign in first", code="authentication_required")
        needed = " or ".join(sorted(rule.roles))
        raise ForbiddenError(f"this needs the role {needed}", code="role_required")
    if actor.scopes is not None and rule.scope not in actor.scopes:
        raise ForbiddenError(f"this token was not made for the scope {rule.scope}", code="scope_required")

"""The policy: who may do what. Every surface and every decider asks it by the name of an action.

The rule of a command stands in its class statement; the rules of all other actions are in the table here.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

from msgspec import Struct

from domain.actor import Actor, Role
from domain.errors import ForbiddenError


class ProjectRole(IntEnum):
    """The role of an actor in a project; each includes those before it."""

    VIEWER = 1
    EDITOR = 2
    MAINTAINER = 3
    OWNER = 4


class Scope(StrEnum):
    """What a token may be used for: a session's token for everything, an API token for its own scopes."""

    READ = "read"
    WRITE = "write"
    ACCOUNT = "account"
    ADMIN = "admin"


class Rule(Struct, frozen=True):
    """Who may take one action.

    The actor needs one of *roles*, roles on the platform; None permits everybody, signed in or not.
    *project* is the role that the actor needs in the project concerned; None where the action concerns no
    project, or where seeing the project is enough. *scope* is what an API token needs. With *verified*, the
    actor's e-mail address must be verified.
    """

    roles: frozenset[Role] | None
    project: ProjectRole | None = None
    scope: Scope = Scope.READ
    verified: bool = False


_ANY_ROLE = frozenset(Role)
_MEMBERS = frozenset({Role.USER, Role.ADMIN})
_ADMINISTRATORS = frozenset({Role.ADMIN})


def anybody(scope: Scope) -> Rule:
    """Return the rule for everybody, signed in or not."""
    return Rule(None, scope=scope)


def signed_in(scope: Scope, project: ProjectRole | None = None, *, verified: bool = False) -> Rule:
    """Return the rule for every account, whatever its roles."""
    return Rule(_ANY_ROLE, project, scope, verified)


def member(project: ProjectRole | None = None, *, verified: bool = False) -> Rule:
    """Return the rule for users and administrators: auditors and analysts only read."""
    return Rule(_MEMBERS, project, Scope.WRITE, verified)


def administrator() -> Rule:
    """Return the rule for administrators of the platform."""
    return Rule(_ADMINISTRATORS, scope=Scope.ADMIN)


_rules: dict[str, Rule] = {
    "system.read": anybody(Scope.READ),
    "project.read": anybody(Scope.READ),
    "events.read": anybody(Scope.READ),
    "account.read": anybody(Scope.READ),
    "announcement.read": anybody(Scope.READ),
    "command.read": anybody(Scope.READ),
    "password.reset": anybody(Scope.WRITE),
    "account.read_own": signed_in(Scope.READ),
    "notifications.list": signed_in(Scope.READ),
    "account.secure": signed_in(Scope.ACCOUNT),
    "command.batch": signed_in(Scope.WRITE),
    "project.publish": member(ProjectRole.OWNER, verified=True),
    "collaborator.leave": signed_in(Scope.WRITE, ProjectRole.VIEWER),
    "review.close_others": member(ProjectRole.MAINTAINER),
    "account.administer": administrator(),
    "system.operate": administrator(),
    "jobs.read": administrator(),
    "jobs.change": administrator(),
    "business.read": administrator(),
}
"""The actions that are not commands; `add_rule` adds those that are."""

POLICY: Mapping[str, Rule] = MappingProxyType(_rules)
"""The rule of every action: complete once `domain.registry`, and with it every command, is imported."""


def add_rule(action: str, rule: Rule) -> None:
    """Add the rule of *action* to the policy; raise TypeError where it has one."""
    if action in _rules:
        raise TypeError(f"two rules are given for the action {action}")
    _rules[action] = rule


def permit(actor: Actor, action: str) -> None:
    """Refuse an actor who may not take *action* anywhere; `domain.project.access` adds a project's rules.

    Raises:
        ForbiddenError: the actor has not signed in (`authentication_required`), lacks a role
            (`role_required`), uses a token without the scope (`scope_required`), or has an e-mail address
            that is not verified (`email_unverified`).
        KeyError: there is no such action.
    """
    rule = _rules[action]
    if rule.roles is not None and actor.roles.isdisjoint(rule.roles):
        if actor.is_anonymous:
            raise ForbiddenError("sign in first", code="authentication_required")
        needed = " or ".join(sorted(rule.roles))
        raise ForbiddenError(f"this needs the role {needed}", code="role_required")
    if actor.scopes is not None and rule.scope not in actor.scopes:
        raise ForbiddenError(f"this token does not have the scope {rule.scope}", code="scope_required")
    if rule.verified and not actor.verified:
        raise unverified()


def unverified() -> ForbiddenError:
    """Return the refusal of an actor whose e-mail address is not verified."""
    return ForbiddenError(
        "verify your e-mail address first: send the token from the mail to POST /api/v1/auth/verify, or "
        "request another mail with POST /api/v1/auth/verify/resend",
        code="email_unverified",
    )

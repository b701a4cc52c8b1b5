"""The title of each kind of problem: the same for every occurrence (RFC 9457, section 3.1.4)."""

from http import HTTPStatus

_TITLES = {
    "authentication_required": "Sign in first",
    "build_status": "A build only moves forward",
    "busy": "The server is busy",
    "code_used": "The code was used already",
    "commit_parts": "The parts of the commit do not fit",
    "conflict": "The state does not allow it",
    "deadline": "The request took too long",
    "email_taken": "The e-mail address is taken",
    "forbidden": "You may not do this",
    "idempotency_key_reused": "The idempotency key came with another body before",
    "in_flight": "The same request is still being carried out",
    "incomplete_body": "The body ended early",
    "internal_error": "Something went wrong on our side",
    "invalid": "The input breaks a rule",
    "invalid_credentials": "The address or the password is wrong",
    "invalid_cursor": "This is no cursor of this list",
    "invalid_input": "The input does not have the form that is asked for",
    "invalid_json": "The body is not JSON",
    "invalid_path": "The path is not allowed",
    "invalid_position": "This is no position of this history",
    "invalid_token": "The token is not valid",
    "log_unavailable": "The history is unavailable",
    "mfa_enabled": "One-time passwords are enabled already",
    "mfa_not_enabled": "One-time passwords are not enabled",
    "mfa_not_prepared": "There is no secret to enable",
    "method_not_allowed": "The path does not allow this method",
    "name_taken": "The name is taken",
    "not_acceptable": "No media type that you accept",
    "not_found": "There is nothing here",
    "not_ready": "The server is not ready",
    "own_review": "Somebody else must decide",
    "owner_collaborator": "The owner needs no role",
    "password_common": "The password is too easy to guess",
    "person_erased": "The person was erased",
    "position_ahead": "The server has not reached this position",
    "precondition_failed": "The resource is in another state",
    "projection_unavailable": "The answer cannot be shown yet",
    "quota_exceeded": "The quota of the account is used up",
    "rate_limited": "Too many requests",
    "request_timeout": "The body did not arrive in time",
    "result_unavailable": "The command is stored; its result cannot be shown yet",
    "reset_used": "The reset token was used already",
    "role_required": "A role is missing",
    "scope_required": "The token lacks a scope",
    "session_ended": "The session has ended",
    "token_expired": "The token has expired",
    "too_large": "Too large",
    "unknown_field": "There is no such field",
    "unsupported_media_type": "The body has another media type",
    "untrusted_document": "Only known documents are allowed",
    "version_mismatch": "This is not the current version",
}
"""By code. A code that is not here reads as its title already: `review_closed` is "Review closed"."""


def title_of(code: str, status: int) -> str:
    """Return the title of a problem with this *code*; without one, it is that of the *status*."""
    if not code:
        return HTTPStatus(status).phrase
    return _TITLES.get(code) or code.replace("_", " ").capitalize()

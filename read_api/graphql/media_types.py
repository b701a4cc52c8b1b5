"""Which media type an answer gets (RFC 9110, section 12.5.1; GraphQL over HTTP, section 5.1)."""

from read_api.problems import HttpError

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
HTML = "text/html"


def answer_type(accept: str | None, *, page: bool) -> str:
    """Return the type that *accept* prefers, JSON where it does not say; with *page*, HTML is offered too.

    Raises HttpError 406 where it accepts none of them.
    """
    if accept is None or not accept.strip():
        return JSON
    offered = (JSON, RESPONSE, HTML) if page else (JSON, RESPONSE)
    best, best_weight = "", 0.0
    for part in accept.split(","):
        pattern, weight = _parsed(part)
        media = next((media for media in offered if _matches(pattern, media)), None)
        if media is not None and weight > best_weight:
            best, best_weight = media, weight
    if not best:
        raise HttpError(406, "not_acceptable", f"accept {JSON} or {RESPONSE}")
    return best


def _parsed(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media, float(value)
            except ValueError:
                return media, 0.0
    return media, 1.0


def _matches(pattern: str, media: str) -> bool:
    """Return whether a pattern of `Accept` includes *media*; `*/*` does not ask for the page."""
    if pattern == "*/*":
        return media != HTML
    return pattern in (media, media.partition("/")[0] + "/*")

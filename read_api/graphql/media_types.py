"""Which media type an answer gets (RFC 9110, section 12.5.1; GraphQL over HTTP, section 5.1)."""

from read_api.gateway.problems import HttpError

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
HTML = "text/html"


def answer_type(accept: str | None, *, page: bool) -> str:
    """Return the type that *accept* prefers, JSON where it does not say; a *page* may be asked for too.

    Raises HttpError 406 where it takes none of them.
    """
    if accept is None or not accept.strip():
        return JSON
    offered = (JSON, RESPONSE, HTML) if page else (JSON, RESPONSE)
    best, quality = "", 0.0
    for part in accept.split(","):
        media, weight = _parsed(part)
        found = next((kind for kind in offered if _matches(media, kind)), None)
        if found is not None and weight > quality:
            best, quality = found, weight
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


def _matches(media: str, kind: str) -> bool:
    return media in ("*/*", kind, kind.partition("/")[0] + "/*") and not (kind == HTML and media == "*/*")

"""Tell clients what will go: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and where to go instead."""

from email.utils import format_datetime

from read_api.gateway.operation import Operation


def retirement(operation: Operation) -> dict[str, str]:
    """Return the headers of an operation that shall not be used any more; none of others."""
    headers = {}
    if operation.deprecated is not None:
        headers["Deprecation"] = f"@{int(operation.deprecated.timestamp())}"
    if operation.sunset is not None:
        headers["Sunset"] = format_datetime(operation.sunset, usegmt=True)
    if operation.successor is not None:
        headers["Link"] = f'<{operation.successor}>; rel="successor-version"'
    return headers


def with_retirement(headers: dict[str, str], retired: dict[str, str]) -> dict[str, str]:
    """Return the headers of an answer with those of its operation's end; links stand together."""
    links = ", ".join(found["Link"] for found in (headers, retired) if "Link" in found)
    return headers | retired | ({"Link": links} if links else {})

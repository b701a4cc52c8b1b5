"""Announce the end of an operation: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and its successor."""

from email.utils import format_datetime

from read_api.gateway.operation import Operation


def retirement(operation: Operation) -> dict[str, str]:
    """Return the headers of an operation that should no longer be used; none for any other."""
    headers = {}
    if operation.deprecated is not None:
        headers["Deprecation"] = f"@{int(operation.deprecated.timestamp())}"
    if operation.sunset is not None:
        headers["Sunset"] = format_datetime(operation.sunset, usegmt=True)
    if operation.successor is not None:
        headers["Link"] = f'<{operation.successor}>; rel="successor-version"'
    return headers


def with_retirement(headers: dict[str, str], retired: dict[str, str]) -> dict[str, str]:
    """Return the headers of an answer with those of `retirement`; their links are joined."""
    links = ", ".join(each["Link"] for each in (headers, retired) if "Link" in each)
    return headers | retired | ({"Link": links} if links else {})

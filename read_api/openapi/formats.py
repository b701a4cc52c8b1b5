"""Parts of JSON Schemas that a type of Python does not say."""

from collections.abc import Mapping
from typing import Any

Facts = Mapping[str, Any]

DATE: Facts = {"format": "date"}
DATE_TIME: Facts = {"format": "date-time"}
EMAIL: Facts = {"format": "email"}
URI: Facts = {"format": "uri"}
URI_REFERENCE: Facts = {"format": "uri-reference"}
UUID: Facts = {"format": "uuid"}


def one_of(*values: str) -> Facts:
    """Return what says that a text is one of *values*."""
    return {"enum": list(values)}

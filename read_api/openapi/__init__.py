"""The OpenAPI document: what is published of the HTTP interface, for people and for generators of clients."""

from read_api.openapi.document import document

__all__ = ["document"]

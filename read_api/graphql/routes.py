"""The routes of `/graphql`."""

from typing import Any

from read_api.api import Api
from read_api.graphql.http import http_routes
from read_api.graphql.lazy_engine import Engines
from read_api.graphql.socket import socket_route


def graphql_routes(api: Api) -> list[Any]:
    """Return the routes over HTTP and WebSocket; both share one engine."""
    engines = Engines(api)
    return [*http_routes(api, engines), socket_route(api, engines)]

"""The routes of `/graphql`."""

from typing import Any

from read_api.api import Api
from read_api.graphql.http import http_routes
from read_api.graphql.lazy_executor import LazyExecutor
from read_api.graphql.socket import socket_route


def graphql_routes(api: Api) -> list[Any]:
    """Return the routes over HTTP and WebSocket; both share one executor."""
    executor = LazyExecutor(api)
    return [*http_routes(api, executor), socket_route(api, executor)]

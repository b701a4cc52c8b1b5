"""The OpenAPI 3.1 document, made from the same declarations as the routes."""

from collections.abc import Iterable
from typing import Any

from domain.policy import POLICY
from read_api.gateway.bodies import JSON, MERGE_PATCH
from read_api.gateway.operation import Operation
from read_api.openapi import introduction
from read_api.openapi.examples import EXAMPLES
from read_api.openapi.parameters import PARAMETER, parameters
from read_api.openapi.responses import responses
from read_api.openapi.schemas import schemas_of


def document(operations: Iterable[Operation], version: str) -> dict[str, Any]:
    """Return the OpenAPI document of *operations*."""
    shown = [operation for operation in operations if not operation.hidden]
    schemas, components = schemas_of(shown)
    paths: dict[str, dict[str, Any]] = {}
    for operation in shown:
        path = PARAMETER.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CodePark",
            "version": version,
            "summary": "The backend of a collaborative code platform whose event history is the product.",
            "description": introduction.DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This server."}],
        "tags": introduction.tags(shown),
        "paths": _linked(paths),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token from `/api/v1/auth/login`, or an API token.",
                }
            },
        },
        "x-live-channels": introduction.LIVE,
    }


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.handler.__name__,
        "summary": operation.summary,
        "description": introduction.description(operation),
        "tags": [operation.tag],
        "security": [{"bearer": []}] if POLICY[operation.action].roles is not None else [{"bearer": []}, {}],
        "parameters": parameters(operation),
        "responses": responses(operation, schemas),
    }
    if operation.deprecated is not None:
        described["deprecated"] = True
    if operation.input is not None:
        described["requestBody"] = _body(operation, schemas)
    return described


def _body(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": schemas[repr(operation.input)]}
    example = EXAMPLES.get(operation.handler.__name__, {} if operation.optional_body else None)
    if example is not None:
        content["example"] = example
    media = (JSON, MERGE_PATCH) if operation.patch else (JSON,)
    text = " ".join((operation.input.__doc__ or "").split()) if operation.input else ""
    return {
        "description": text,
        "required": not operation.optional_body,
        "content": dict.fromkeys(media, content),
    }


def _linked(paths: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return *paths* without links to operations that the document does not have."""
    operations = [each for methods in paths.values() for each in methods.values()]
    known = {each["operationId"] for each in operations}
    for each in operations:
        for answer in each["responses"].values():
            if "links" in answer:
                answer["links"] = {name: link for name, link in answer["links"].items() if name in known}
    return paths

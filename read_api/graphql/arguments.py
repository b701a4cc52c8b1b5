"""The arguments of a field, checked by the struct that the REST path takes."""

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, Generic, TypeVar

import graphene
import msgspec
from msgspec import Struct

from read_api.gateway.bodies import invalid
from read_api.gateway.problems import BadInputError
from read_api.graphql.struct_types import arguments_of

S = TypeVar("S", bound=Struct)


class Arguments(Generic[S]):
    """Arguments that mirror the fields of a struct, and how they become one."""

    def __init__(
        self, kind: type[S], *, without: Collection[str] = (), renamed: Mapping[str, str] | None = None
    ) -> None:
        """Mirror *kind*, but for the fields *without*; *renamed* tells names that differ here."""
        self._kind = kind
        self._names = {here: there for there, here in (renamed or {}).items()}
        self.declared: dict[str, graphene.Argument] = arguments_of(kind, without=without, renamed=renamed)

    def read(self, given: Mapping[str, Any]) -> S:
        """Return what was given; null is as if it were not. Raises BadInputError that names the argument."""
        values = {
            self._names.get(name, name): value
            for name, value in given.items()
            if name in self.declared and value is not None
        }
        try:
            return msgspec.convert(values, self._kind)
        except msgspec.ValidationError as error:
            fault = invalid(str(error)).faults[0]
            field = fault.pointer.removeprefix("/")
            name = next((here for here, there in self._names.items() if there == field), field)
            raise BadInputError(f"argument {name}: {fault.detail}", name) from error


def read_input(given: Any, kind: type[S]) -> S:
    """Return an input as the struct that a REST body becomes; raises BadInputError that names the place."""
    try:
        return msgspec.convert(as_json(given), kind)
    except msgspec.ValidationError as error:
        raise invalid(str(error)) from error


def as_json(value: Any) -> Any:
    """Return an input value as JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value

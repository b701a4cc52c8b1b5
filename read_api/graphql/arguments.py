"""The arguments of a field, checked by the same struct as the parameters of the REST path."""

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, Generic, TypeVar

import graphene
import msgspec
from msgspec import Struct

from read_api.gateway.bodies import invalid
from read_api.graphql.struct_types import arguments_of
from read_api.problems import BadInputError

S = TypeVar("S", bound=Struct)


class Arguments(Generic[S]):
    """Arguments that mirror the fields of a struct, and how they are converted to it."""

    def __init__(
        self, struct: type[S], *, without: Collection[str] = (), renamed: Mapping[str, str] | None = None
    ) -> None:
        """Mirror *struct* except the fields *without*; *renamed* maps its names to different ones here."""
        self._struct = struct
        self._names = {here: there for there, here in (renamed or {}).items()}
        self.declared: dict[str, graphene.Argument] = arguments_of(struct, without=without, renamed=renamed)

    def read(self, given: Mapping[str, Any]) -> S:
        """Return the arguments as the struct, null as absent; raises BadInputError that names one."""
        values = {
            self._names.get(name, name): value
            for name, value in given.items()
            if name in self.declared and value is not None
        }
        try:
            return msgspec.convert(values, self._struct)
        except msgspec.ValidationError as error:
            fault = invalid(str(error), type_=self._struct).faults[0]
            field = fault.pointer.removeprefix("/")
            name = next((here for here, there in self._names.items() if there == field), field)
            raise BadInputError(f"argument {name}: {fault.detail}", name) from error


def read_input(given: Any, struct: type[S]) -> S:
    """Return an input as the struct of the REST body; raises BadInputError that names the place."""
    try:
        return msgspec.convert(as_json(given), struct)
    except msgspec.ValidationError as error:
        raise invalid(str(error), type_=struct) from error


def as_json(value: Any) -> Any:
    """Return an input value as it would be in JSON."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return value

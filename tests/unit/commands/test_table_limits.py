"""Inputs and deciders have the same limits: those of `domain.limits`."""

import importlib
import pkgutil
from typing import Annotated

import msgspec
import pytest
from msgspec import inspect, structs

import commands.table
from commands.intake import CommandMetadata
from commands.outcomes import Refused
from commands.table.commits import ChangeInput
from commands.table.fields import Input
from commands.table.registry import CLIENT_COMMANDS
from domain import limits
from domain.actor import SERVICE, Role
from domain.commit.events import ChangeStatus
from domain.errors import InvalidError
from domain.policy import Scope
from tests.support.profile import ADA, Commands
from tests.unit.commands.samples import example_of

MODULES = [
    importlib.import_module(f"commands.table.{info.name}")
    for info in pkgutil.iter_modules(commands.table.__path__)
]
ALL_INPUTS = sorted(
    {
        value
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Input)
    },
    key=lambda cls: cls.__name__,
)
OF_THE_DOMAIN = {value for name, value in vars(limits).items() if name.isupper()}
OF_COUNTS = {1, len(Role), len(Scope)}
CONSTRAINTS = ("min_length", "max_length", "pattern", "ge", "gt", "le", "lt", "multiple_of")
NOT_A_LENGTH = {("commit.record", ("authored_at",))}
"""The decider takes any RFC 3339 time, however many digits its fraction has."""


def leaves(kind, path=()):
    """Yield the paths of all values within a type, each with its type."""
    yield path, kind
    if isinstance(kind, inspect.UnionType):
        for option in kind.types:
            yield from leaves(option, path)
    elif isinstance(kind, inspect.VarTupleType):
        yield from leaves(kind.item_type, (*path, 0))
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield from leaves(field.type, (*path, field.name))
    elif isinstance(kind, inspect.Metadata):
        yield from leaves(kind.type, path)


def test_all_inputs_are_found():
    assert {row.input for row in CLIENT_COMMANDS.values()} < set(ALL_INPUTS)


@pytest.mark.parametrize("cls", ALL_INPUTS)
def test_an_input_has_no_limit_of_its_own(cls):
    for path, kind in leaves(inspect.type_info(cls)):
        for name in CONSTRAINTS:
            limit = getattr(kind, name, None)
            assert limit is None or limit in OF_THE_DOMAIN | OF_COUNTS, (path, name, limit)


def test_a_limit_of_its_own_would_be_found():
    class Own(Input):
        words: tuple[Annotated[str, msgspec.Meta(max_length=77)], ...] | None = None

    lengths = {getattr(kind, "max_length", None) for _, kind in leaves(inspect.type_info(Own))}
    assert lengths == {None, 77}
    assert 77 not in OF_THE_DOMAIN | OF_COUNTS


def bounded():
    """Yield the types of commands with the path of every value that has a largest length, and that length."""
    for name, row in CLIENT_COMMANDS.items():
        for path, kind in leaves(inspect.type_info(row.input)):
            longest = getattr(kind, "max_length", None)
            if longest is not None and (name, path) not in NOT_A_LENGTH:
                yield pytest.param(name, path, kind, longest, id=f"{name}:{'.'.join(map(str, path))}")


BOUNDED = list(bounded())


def test_the_long_values_are_found():
    ids = {param.id for param in BOUNDED}
    assert {"review.open:commits", "notifications.read:ids.0", "commit.record:author.name"} <= ids
    assert len(ids) > 20


@pytest.fixture(scope="module")
def park(tmp_path_factory):
    """Give a project with somebody else's review, and the ids that the examples need."""
    park = Commands(tmp_path_factory.mktemp("park"))
    project = park.project(actor=SERVICE, visibility="public")
    review = park.do("review.open", ADA, project, title="r").stream.removeprefix("review-")
    yield park, project, review
    park.close()


def outcome(park, name, path, value):
    profile, project, review = park
    example = example_of(name)
    example.pop("sha", None)  # each commit is a new one
    if "reviewId" in example:
        example["reviewId"] = review
    data = with_value(msgspec.convert(example, CLIENT_COMMANDS[name].input), path, value)
    target = project if CLIENT_COMMANDS[name].targeted else ""
    submission = profile.intake.submission(name, data, CommandMetadata(actor=SERVICE), target=target)
    return data, profile.outcomes(submission)[0]


def with_value(data, path, value):
    """Return *data* with *value* at *path*, unchecked."""
    if not path:
        return value
    first, *rest = path
    if isinstance(data, tuple):
        return (*data[:first], with_value(data[first], rest, value), *data[first + 1 :])
    return structs.replace(data, **{first: with_value(getattr(data, first), rest, value)})


def long_value(kind, length):
    if not isinstance(kind, inspect.VarTupleType):
        return "a" * length
    if isinstance(kind.item_type, inspect.StructType):
        assert kind.item_type.cls is ChangeInput
        return tuple(ChangeInput(path=f"{n}", status=ChangeStatus.DELETED) for n in range(length))
    return tuple(f"{n:08x}" for n in range(length))


@pytest.mark.parametrize(("name", "path", "kind", "longest"), BOUNDED)
def test_the_longest_value_of_an_input_is_taken_by_the_decider(park, name, path, kind, longest):
    data, result = outcome(park, name, path, long_value(kind, longest))
    assert msgspec.convert(msgspec.to_builtins(data), type(data)) == data
    assert not (isinstance(result, Refused) and isinstance(result.refusal, InvalidError)), result


def in_json(name):
    first, *others = str(name).split("_")
    return first + "".join(map(str.capitalize, others))


@pytest.mark.parametrize(("name", "path", "kind", "longest"), BOUNDED)
def test_a_longer_value_is_refused_by_both(park, name, path, kind, longest):
    data, result = outcome(park, name, path, long_value(kind, longest + 1))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(data), type(data))
    assert isinstance(result, Refused)
    assert isinstance(result.refusal, InvalidError)
    assert result.refusal.pointer == "/" + "/".join(map(in_json, path))

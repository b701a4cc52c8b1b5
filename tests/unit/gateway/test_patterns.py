"""The refusal of a text that does not match a pattern says what to write."""

from typing import Annotated

import msgspec
import msgspec.inspect
import pytest

from commands.table.registry import CLIENT_COMMANDS
from domain import limits
from read_api.app import operations
from read_api.gateway.bodies import invalid
from read_api.gateway.patterns import corrected


def patterns(struct):
    """Yield every pattern that a text in *struct* has to match."""
    pending, seen = [msgspec.inspect.type_info(struct)], set()
    while pending:
        info = pending.pop()
        if getattr(info, "pattern", None) is not None:
            yield info.pattern
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls in seen:
                continue
            seen.add(info.cls)
            pending += [field.type for field in info.fields]
        pending += getattr(info, "types", ())
        pending += [getattr(info, name) for name in ("type", "item_type") if hasattr(info, name)]


def structs():
    declared = {struct for operation in operations() for struct in (operation.input, operation.query)}
    return (declared | {row.input for row in CLIENT_COMMANDS.values()}) - {None}


def test_every_pattern_of_an_input_says_what_to_write():
    regexes = {regex for struct in structs() for regex in patterns(struct)}
    assert {limits.EMAIL, limits.LINE, limits.PATH} <= regexes
    for regex in regexes:
        assert corrected(f"Expected `str` matching regex {regex!r}").startswith("write "), regex


@pytest.mark.parametrize(
    ("regex", "text", "correction"),
    [
        (limits.EMAIL, "ada", "write one e-mail address, such as ada@example.org"),
        (limits.LINE, "a\nb", "write one line of text, without control characters"),
    ],
)
def test_a_refusal_says_what_to_write_and_where(regex, text, correction):
    struct = msgspec.defstruct("Body", [("text", Annotated[str, msgspec.Meta(pattern=regex)])])
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert({"text": text}, struct)
    (fault,) = invalid(str(refused.value)).faults
    assert (fault.pointer, fault.detail) == ("/text", correction)


def test_other_messages_stay_as_they_are():
    assert corrected("Expected `int`, got `str`") == "Expected `int`, got `str`"
    assert "regex" in corrected("Expected `str` matching regex '^unknown$'")

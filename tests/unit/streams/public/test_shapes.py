"""Public types cannot hold words: every text in them is an id, a pseudonym, a day or one of a few words."""

import pytest
from msgspec import inspect

from streams.public.events import PublicEvent
from streams.public.publications import PUBLISHED


def leaves(kind):
    """Yield the types at the ends of a type, each with its constraints."""
    if isinstance(kind, inspect.Metadata):
        yield from leaves(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for option in kind.types:
            yield from leaves(option)
    elif isinstance(kind, inspect.VarTupleType):
        yield from leaves(kind.item_type)
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield from leaves(field.type)
    else:
        yield kind


def is_language(leaf):
    return isinstance(leaf, inspect.StrType) and (leaf.min_length, leaf.max_length) == (1, 40)


@pytest.mark.parametrize("publication", PUBLISHED, ids=lambda publication: publication.type)
def test_no_field_holds_free_text(publication):
    closed = (inspect.BoolType, inspect.IntType, inspect.EnumType, inspect.DateType, inspect.NoneType)
    for leaf in leaves(inspect.type_info(publication.shape)):
        if isinstance(leaf, closed) or is_language(leaf):
            continue
        assert isinstance(leaf, inspect.StrType), f"{leaf} may hold anything"
        assert leaf.pattern, "a text without a pattern may hold anything"
        assert "0-9a-f" in leaf.pattern


@pytest.mark.parametrize("publication", PUBLISHED, ids=lambda publication: publication.type)
def test_a_shape_is_frozen_and_says_what_it_is(publication):
    assert issubclass(publication.shape, PublicEvent)
    assert publication.shape.__struct_config__.frozen
    assert publication.shape.__doc__ != PublicEvent.__doc__


def test_only_languages_are_texts_without_a_pattern():
    for publication in PUBLISHED:
        for field in inspect.type_info(publication.shape).fields:
            assert field.name == "language" or not any(is_language(leaf) for leaf in leaves(field.type))

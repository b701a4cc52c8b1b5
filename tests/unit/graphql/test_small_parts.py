"""Media types, global ids, settings, persisted queries."""

import asyncio
import hashlib
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.environment import SettingsError
from projections.cache import MemoryCache
from read_api.gateway.problems import HttpError
from read_api.graphql.media_types import answer_type
from read_api.graphql.node import global_id, parse_global_id
from read_api.graphql.persisted import Persisted, Request, read_digest
from read_api.graphql.settings import (
    INTROSPECTION,
    TRUSTED,
    GraphQLSettings,
    read_graphql_settings,
)

QUERY = "{ __typename }"
DIGEST = hashlib.sha256(QUERY.encode()).hexdigest()


@given(st.text())
def test_any_accept_header_is_understood_or_refused(accept):
    for page in (True, False):
        with suppress(HttpError):
            assert answer_type(accept, page=page)


@pytest.mark.parametrize(
    ("accept", "found"),
    [
        ("text/html,*/*;q=0.8", "text/html"),
        ("*/*", "application/json"),
        (
            "application/json;q=0, application/graphql-response+json;q=0.1",
            "application/graphql-response+json",
        ),
        ("APPLICATION/JSON", "application/json"),
        ("text/html;q=0.1, application/json", "application/json"),
    ],
)
def test_the_type_that_weighs_most(accept, found):
    assert answer_type(accept, page=True) == found


@given(st.sampled_from(["File", "Commit"]), st.text())
def test_global_ids_come_back(kind, key):
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    assert parse_global_id(global_id(kind, key)) == (kind, key)


@given(st.text())
def test_any_text_is_an_id_of_something_or_nothing(text):
    kind, key = parse_global_id(text)
    assert kind is None or isinstance(kind + key, str)


def test_settings(tmp_path):
    assert read_graphql_settings({}) == GraphQLSettings()
    assert [read_graphql_settings({INTROSPECTION: off}).introspection for off in ("off", "OFF")] == [
        False
    ] * 2
    assert read_graphql_settings({INTROSPECTION: "On"}).introspection is True
    file = tmp_path / "trusted.json"
    file.write_text(json.dumps({DIGEST: QUERY}))
    assert read_graphql_settings({TRUSTED: str(file)}).trusted == {DIGEST: QUERY}


@pytest.mark.parametrize("text", [None, "[]", "{", '{"abc": "{ me { id } }"}', '{"a": 1}'])
def test_settings_that_cannot_be_used_name_the_variable(tmp_path, text):
    file = tmp_path / "trusted.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=TRUSTED):
        read_graphql_settings({TRUSTED: str(file)})
    with pytest.raises(SettingsError, match=INTROSPECTION):
        read_graphql_settings({INTROSPECTION: "maybe"})


def text(persisted, **request):
    return asyncio.run(persisted.text(Request(**request)))


def test_a_persisted_query():
    persisted = Persisted(MemoryCache(), GraphQLSettings())
    with pytest.raises(HttpError, match="PersistedQueryNotFound"):
        text(persisted, digest=DIGEST)
    asyncio.run(persisted.keep(Request(query=QUERY, digest=DIGEST)))
    assert text(persisted, digest=DIGEST) == QUERY
    with pytest.raises(HttpError, match="sha256Hash"):
        text(persisted, query="{ a }", digest=DIGEST)


def test_trusted_documents_are_all_that_runs():
    persisted = Persisted(MemoryCache(), GraphQLSettings(trusted={DIGEST: QUERY}))
    assert text(persisted, digest=DIGEST) == text(persisted, query=QUERY) == QUERY
    for other in ({"query": "{ me { id } }"}, {"digest": "0" * 64}, {}):
        with pytest.raises(HttpError) as caught:
            text(persisted, **other)
        assert (caught.value.status, caught.value.code) == (403, "untrusted_document")
    asyncio.run(persisted.keep(Request(query="{ a }", digest="1" * 64)))
    with pytest.raises(HttpError):
        text(persisted, digest="1" * 64)


@pytest.mark.parametrize(
    "found",
    [1, "x", {}, {"version": 1}, {"version": 2, "sha256Hash": DIGEST}, {"version": 1, "sha256Hash": "x"}],
)
def test_hashes_that_are_none(found):
    with pytest.raises(HttpError):
        read_digest({"persistedQuery": found})
    assert read_digest({}) is None
    assert read_digest({"persistedQuery": {"version": 1, "sha256Hash": DIGEST.upper()}}) == DIGEST

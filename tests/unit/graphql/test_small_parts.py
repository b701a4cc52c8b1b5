"""Media types, global ids, settings, persisted queries."""

import asyncio
import base64
import hashlib
import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.environment import SettingsError
from projections.cache import MemoryCache
from read_api.graphql.media_types import answer_type
from read_api.graphql.node import FINDERS, global_id, parse_global_id
from read_api.graphql.persisted import PersistedQueries
from read_api.graphql.protocol import Close, Message, ProtocolError, read_subscribe
from read_api.graphql.requests import GraphQLRequest, read_digest
from read_api.graphql.settings import (
    INTROSPECTION,
    TRUSTED,
    GraphQLSettings,
    read_graphql_settings,
)
from read_api.problems import HttpError

QUERY = "{ __typename }"
DIGEST = hashlib.sha256(QUERY.encode()).hexdigest()


JSON, RESPONSE, HTML = "application/json", "application/graphql-response+json", "text/html"
MEANING = {JSON: JSON, RESPONSE: RESPONSE, HTML: HTML, "*/*": JSON, "application/*": JSON, "text/*": HTML}


@given(
    parts=st.lists(
        st.tuples(st.sampled_from([*MEANING, "image/png"]), st.sampled_from([0.0, 0.1, 0.5, 1.0])), min_size=1
    ),
    page=st.booleans(),
)
def test_the_heaviest_type_that_is_offered_is_chosen_the_first_of_several(parts, page):
    offered = {JSON, RESPONSE} | ({HTML} if page else set())
    heaviest, chosen = 0.0, None
    for pattern, weight in parts:
        if MEANING.get(pattern) in offered and weight > heaviest:
            heaviest, chosen = weight, MEANING[pattern]
    accept = ", ".join(f"{pattern};q={weight}" for pattern, weight in parts)
    assert chosen_or_status(accept, page=page) == (chosen or 406)


@given(st.text())
def test_any_accept_header_gets_an_offered_type_or_406(accept):
    assert chosen_or_status(accept, page=True) in (JSON, RESPONSE, HTML, 406)
    assert chosen_or_status(accept, page=False) in (JSON, RESPONSE, 406)


def chosen_or_status(accept, *, page):
    try:
        return answer_type(accept, page=page)
    except HttpError as error:
        return error.status


@pytest.mark.parametrize(
    ("accept", "media"),
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
def test_the_type_with_the_greatest_weight_is_chosen(accept, media):
    assert answer_type(accept, page=True) == media


@given(st.sampled_from(["File", "Commit"]), st.text())
def test_a_global_id_is_parsed_to_its_type_and_key(type_name, key):
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    assert parse_global_id(global_id(type_name, key)) == (type_name, key)


@given(st.one_of(st.text(), st.uuids().map(str), st.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_any_text_is_a_uuid_or_names_a_type_and_a_key_or_nothing(text):
    type_name, key = parse_global_id(text)
    if type_name is None:
        assert str(UUID(text)) == text == key
    elif type_name in FINDERS:
        assert parse_global_id(global_id(type_name, key)) == (type_name, key)
        assert base64.urlsafe_b64decode(text + "==").decode().startswith(type_name)
    elif type_name == "" and key != text:
        assert base64.urlsafe_b64decode(text + "==").decode() in (f":{key}", key)


@pytest.mark.parametrize("text", ["", "x", "é", "====", base64.b64encode(b"\xff").decode()])
def test_a_text_that_is_not_an_id_names_no_type(text):
    type_name, _ = parse_global_id(text)
    assert type_name not in FINDERS
    assert type_name is not None


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
    return asyncio.run(persisted.text(GraphQLRequest(**request)))


def test_a_persisted_query():
    persisted = PersistedQueries(MemoryCache(), GraphQLSettings())
    with pytest.raises(HttpError, match="PersistedQueryNotFound"):
        text(persisted, digest=DIGEST)
    asyncio.run(persisted.keep(GraphQLRequest(query=QUERY, digest=DIGEST)))
    assert text(persisted, digest=DIGEST) == QUERY
    with pytest.raises(HttpError, match="sha256Hash"):
        text(persisted, query="{ a }", digest=DIGEST)


def test_trusted_documents_are_all_that_runs():
    persisted = PersistedQueries(MemoryCache(), GraphQLSettings(trusted={DIGEST: QUERY}))
    assert text(persisted, digest=DIGEST) == text(persisted, query=QUERY) == QUERY
    for other in ({"query": "{ me { id } }"}, {"digest": "0" * 64}, {}):
        with pytest.raises(HttpError) as caught:
            text(persisted, **other)
        assert (caught.value.status, caught.value.code) == (403, "untrusted_document")
    asyncio.run(persisted.keep(GraphQLRequest(query="{ a }", digest="1" * 64)))
    with pytest.raises(HttpError):
        text(persisted, digest="1" * 64)


@pytest.mark.parametrize(
    "persisted",
    [1, "x", {}, {"version": 1}, {"version": 2, "sha256Hash": DIGEST}, {"version": 1, "sha256Hash": "x"}],
)
def test_a_malformed_hash_is_refused(persisted):
    with pytest.raises(HttpError):
        read_digest({"persistedQuery": persisted})


def test_a_hash_is_read_in_lower_case_and_may_be_absent():
    assert read_digest({}) is None
    assert read_digest({"persistedQuery": {"version": 1, "sha256Hash": DIGEST.upper()}}) == DIGEST


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"query": 5}, "query: write a text or null, not a whole number"),
        (None, "write an object, not null"),
        ({"query": "{ a }", "variables": []}, "variables: write an object or null, not a list"),
    ],
)
def test_a_socket_closes_with_a_sentence(payload, reason):
    with pytest.raises(ProtocolError) as refused:
        read_subscribe(Message("subscribe", "1", payload))
    assert refused.value.close == Close(4400, f"the payload of subscribe: {reason}")

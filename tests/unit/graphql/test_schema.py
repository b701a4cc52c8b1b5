"""The schema is the one that is published, and breaks nothing that clients rely on."""

from pathlib import Path

from graphql import build_schema, find_breaking_changes, print_schema, validate_schema

from commands.table.registry import CLIENT_COMMANDS
from docs import generate
from domain.policy import POLICY
from read_api.graphql.federation import schema
from read_api.graphql.mutations import field_name
from read_api.graphql.queries import query
from read_api.graphql.subscriptions import subscription

PUBLISHED = Path(generate.REFERENCE) / "schema.graphql"


def test_the_published_schema_is_current():
    assert PUBLISHED.read_text(encoding="utf-8") == generate.graphql_schema(), "run `make docs`"


def test_nothing_that_is_published_breaks():
    published = build_schema(PUBLISHED.read_text(encoding="utf-8"))
    served = build_schema(print_schema(schema()))
    assert [change.description for change in find_breaking_changes(published, served)] == []


def test_a_break_would_be_found():
    text = PUBLISHED.read_text(encoding="utf-8").replace("  suggestions: [String!]!\n", "", 1)
    changes = find_breaking_changes(build_schema(print_schema(schema())), build_schema(text))
    assert [change.description for change in changes] == ["AiInsights.suggestions was removed."]


def test_the_schema_is_valid():
    assert validate_schema(schema()) == []
    assert "subscription" in print_schema(schema()).casefold()


def test_every_root_field_has_an_action_of_the_policy():
    assert set(query.actions.values()) | set(subscription.actions.values()) <= POLICY.keys()
    assert CLIENT_COMMANDS.keys() <= POLICY.keys()
    root = schema().query_type
    assert root.fields.keys() - {"_entities", "_service"} == query.actions.keys()
    assert schema().subscription_type.fields.keys() == subscription.actions.keys()
    assert {field_name(name) for name in CLIENT_COMMANDS} == schema().mutation_type.fields.keys()


def test_the_guide_s_fields_are_what_it_says():
    fields = schema().query_type.fields
    assert str(fields["projects"].type) == "[Project!]"
    insights = schema().get_type("AiInsights").fields
    assert (str(insights["complexity"].type), str(insights["suggestions"].type)) == ("Float!", "[String!]!")

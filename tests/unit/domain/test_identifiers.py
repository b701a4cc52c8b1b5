from uuid import RFC_4122, UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from domain import identifiers
from domain.identifiers import derived_uuid, file_stream

PARTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=4)


@given(PARTS)
def test_a_derived_id_is_a_uuid_of_version_8(parts):
    value = UUID(derived_uuid(*parts))
    assert (value.version, value.variant) == (8, RFC_4122)


@given(PARTS, PARTS)
def test_other_parts_give_another_id(one, other):
    assume(one != other)
    assert derived_uuid(*one) != derived_uuid(*other)


@given(st.text(st.sampled_from("ab"), max_size=8), st.data())
def test_shifted_parts_give_another_id(text, data):
    cuts = st.integers(0, len(text))
    one, other = data.draw(cuts), data.draw(cuts)
    assert (derived_uuid(text[:one], text[one:]) == derived_uuid(text[:other], text[other:])) == (
        one == other
    )


def test_a_known_value():
    assert derived_uuid("create", "me", "key") == derived_uuid("create", "me", "key")
    assert derived_uuid() == "e3b0c442-98fc-8c14-9afb-f4c8996fb924"  # SHA-256 of nothing


def test_streams_are_named_by_kind():
    assert identifiers.project_stream("1") == "project-1"
    assert identifiers.commits_stream("1") == "commits-1"
    assert identifiers.review_stream("1") == "review-1"
    assert identifiers.build_stream("1") == "build-1"
    assert identifiers.account_stream("1") == "account-1"
    assert identifiers.claim_stream("1") == "claim-1"
    assert identifiers.inbox_stream("1") == "inbox-1"
    assert identifiers.announcement_stream("1") == "announcement-1"
    assert identifiers.feedback_stream("1") == "feedback-1"
    assert identifiers.technical_stream("1") == "commands-1"


def test_each_file_and_suggestion_has_a_stream():
    assert file_stream("p", "a") != file_stream("p", "b")
    assert file_stream("p", "a") != file_stream("q", "a")
    assert identifiers.suggestion_stream("p", "a").startswith("suggestion-")

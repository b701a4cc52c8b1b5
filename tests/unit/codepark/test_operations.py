"""What operators ask of an installation, over the embedded profile; each result is what a script gets."""

import pytest
from msgspec.structs import replace

from codepark.operations import OPERATIONS, broken_chain
from domain.errors import InvalidError, NotFoundError
from tests.support.embedded import add_dead_letter, carry_out, create_project, register, started


@pytest.fixture
def profile(tmp_path):
    with started(tmp_path / "data") as profile:
        yield profile


@pytest.fixture
def operate(profile):
    return lambda name, **arguments: OPERATIONS[name](profile, arguments)


class Altered:
    """A log of which some records are changed or missing."""

    def __init__(self, log, records):
        self._log = log
        self._records = records

    def first_chain(self):
        return self._log.first_chain()

    def tip(self):
        return self._log.tip()

    def read(self, after, limit):
        return [record for record in self._records if record.sequence > after][:limit]


class TestChain:
    @pytest.fixture
    def records(self, profile):
        project = create_project(profile)
        for number in range(4):
            carry_out(profile, "project.update", target=project, name=f"n{number}")
        return profile.log.read(0, 10)

    def test_it_holds(self, profile, records):
        assert broken_chain(profile.log) is None
        assert broken_chain(Altered(profile.log, records)) is None

    @pytest.mark.parametrize("field", ["data", "command", "stream", "topic", "actor"])
    def test_an_altered_record_is_found(self, profile, records, field):
        other = b"{}" if field == "data" else "other"
        records[2] = replace(records[2], **{field: other})
        fault = "record 3 does not fit the chain: it was altered"
        assert broken_chain(Altered(profile.log, records)) == fault

    def test_a_missing_record_is_found(self, profile, records):
        assert broken_chain(Altered(profile.log, records[:1] + records[2:])) == "record 2 is missing"

    def test_a_missing_end_is_found(self, profile, records):
        assert broken_chain(Altered(profile.log, records[:3])) == "the records after 3 are missing"

    def test_two_records_that_are_exchanged_are_found(self, profile, records):
        first, second = records[1], records[2]
        records[1] = replace(second, sequence=first.sequence)
        records[2] = replace(first, sequence=second.sequence)
        assert "does not fit the chain" in broken_chain(Altered(profile.log, records))


class TestExamination:
    def test_a_sound_installation(self, profile, operate):
        create_project(profile)
        log, letters, models = operate("examine")["findings"]
        assert log == {"part": "event log", "ok": True, "detail": "1 events, the chain holds"}
        assert letters == {"part": "dead letters", "ok": True, "detail": "none"}
        assert models["ok"]
        assert "projects 1" in models["detail"]

    def test_dead_letters_are_counted(self, profile, operate):
        add_dead_letter(profile, create_project(profile))
        finding = operate("examine")["findings"][1]
        assert finding == {"part": "dead letters", "ok": False, "detail": "1 events wait"}

    def test_a_model_that_includes_more_than_the_log(self, profile, operate):
        profile.progress.report({"projects": 9})
        assert operate("examine")["findings"][2]["ok"] is False


class TestEvents:
    @pytest.fixture
    def project(self, profile):
        project = create_project(profile)
        carry_out(profile, "project.update", target=project, name="n")
        carry_out(profile, "project.delete", target=project)
        return project

    def test_all(self, operate, project):
        page = operate("events")
        types = ["project.created", "project.updated", "project.deleted"]
        assert [event["type"] for event in page["items"]] == types
        assert page["after"] == {"0": 3}

    def test_pages_follow_each_other(self, operate, project):
        first = operate("events", limit=2)
        second = operate("events", limit=2, after=first["after"])
        third = operate("events", limit=2, after=second["after"])
        sequences = [event["sequence"] for page in (first, second, third) for event in page["items"]]
        assert sequences == [1, 2, 3]
        assert third == {"items": [], "after": {"0": 3}}

    def test_one_type(self, operate, project):
        (event,) = operate("events", type="project.deleted")["items"]
        assert event["sequence"] == 3

    def test_no_type_is_every_type(self, operate, project):
        assert len(operate("events", type=None)["items"]) == 3

    def test_an_empty_type_is_refused(self, operate):
        with pytest.raises(InvalidError, match="type takes one name or several"):
            operate("events", type="")

    def test_an_unknown_type(self, operate):
        with pytest.raises(InvalidError, match="there is no type of event no such"):
            operate("events", type="no such")

    def test_the_tip(self, operate, project):
        assert operate("tip") == {"sequences": {"0": 3}}


class TestAccounts:
    def test_roles_and_tier(self, profile, operate):
        account = register(profile)
        result = operate("account-set", email="ada@example.org", roles=["admin"], tier="pro")
        assert (result["accountId"], result["version"]) == (account, 2)
        shown = profile.queries.accounts.get_own(account)
        assert (shown["roles"], shown["tier"]) == (["admin"], "pro")

    def test_what_is_not_named_stays(self, profile, operate):
        account = register(profile)
        operate("account-set", email="ada@example.org", roles=["auditor"])
        operate("account-set", email="ADA@example.org", tier="free")
        assert profile.queries.accounts.get_own(account)["roles"] == ["auditor"]

    @pytest.mark.parametrize("arguments", [{"roles": ["king"]}, {"tier": "gold"}])
    def test_a_role_or_tier_that_does_not_exist(self, profile, operate, arguments):
        register(profile)
        with pytest.raises(InvalidError, match="is not a valid"):
            operate("account-set", email="ada@example.org", **arguments)

    def test_an_unknown_address(self, operate):
        with pytest.raises(NotFoundError, match="no account with the address eve"):
            operate("account-set", email="eve")


class TestModels:
    def test_a_rebuild_tells_how_far_it_is(self, profile, operate):
        create_project(profile)
        shown = []
        result = operate("rebuild", model="projects", progress=lambda *progress: shown.append(progress))
        assert result == {"model": "projects", "sequence": 1}
        assert shown[-1] == (1, 1)

    @pytest.mark.parametrize("arguments", [{"model": "nothing"}, {}])
    def test_an_unknown_model(self, operate, arguments):
        with pytest.raises(NotFoundError, match=r"there are projects, accounts, .*, insights"):
            operate("rebuild", **arguments)

    def test_dead_letters_of_one_model(self, profile, operate):
        project = create_project(profile)
        add_dead_letter(profile, project)
        (letter,) = operate("dead-letters-list", model="projects")["items"]
        assert letter == {
            "model": "projects",
            "stream": f"project-{project}",
            "partition": 0,
            "sequence": 1,
            "type": "project.created",
            "reason": "it was broken",
        }
        assert operate("dead-letters-list", model="files") == {"items": []}
        assert operate("dead-letters-retry") == {"solved": 1, "left": 0}


class TestKeys:
    def test_each_rotation_is_the_next_generation(self, operate):
        assert [operate("rotate-signing-key")["generation"] for _ in range(2)] == [2, 3]

    def test_the_master_key(self, operate):
        assert operate("rotate-master-key") == {"version": 2, "wrapped": 0}


def test_the_names_of_operations_are_those_of_the_internal_paths():
    assert set(OPERATIONS) == {
        "rebuild",
        "dead-letters-list",
        "dead-letters-retry",
        "account-set",
        "events",
        "tip",
        "examine",
        "rotate-signing-key",
        "rotate-master-key",
        "log-level",
    }

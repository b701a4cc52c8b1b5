"""`codepark migrate` against a real database."""

import pytest
from msgspec import json

from codepark.cli.failures import CommandError
from codepark.cli.migrations import migrate_app
from projections.mongodb.migrator import migrations

pytestmark = pytest.mark.integration


@pytest.fixture
def migrate(monkeypatch, mongodb_uri, mongodb_name, capsys):
    monkeypatch.setenv("CODEPARK_MONGODB_URI", mongodb_uri)
    monkeypatch.setenv("CODEPARK_TOPIC_PREFIX", f"{mongodb_name}.")

    def run(*arguments):
        migrate_app(arguments, result_action="return_value")
        return capsys.readouterr().out

    return run


def test_apply_status_and_rollback(migrate):
    numbers = [migration.number for migration in migrations()]
    assert "housekeeping" in migrate("status")
    assert json.decode(migrate("apply", "--to", "1", "--json")) == {"applied": [1]}
    assert json.decode(migrate("apply", "--json")) == {"applied": numbers[1:]}
    assert "nothing to do" in migrate("apply")
    states = json.decode(migrate("status", "--json"))["migrations"]
    assert [(state["number"], state["changed"]) for state in states] == [
        (number, False) for number in numbers
    ]
    assert all(state["appliedAt"] for state in states)
    assert f"{numbers[-1]:04}" in migrate("rollback")


def test_create(migrate, tmp_path):
    path = json.decode(migrate("create", "Add things", "--folder", str(tmp_path), "--json"))["path"]
    assert path == str(tmp_path / "0001_add_things.py")
    with pytest.raises(CommandError, match="letter"):
        migrate("create", "1", "--folder", str(tmp_path))


def test_without_an_address_it_says_what_is_missing(migrate, monkeypatch):
    monkeypatch.delenv("CODEPARK_MONGODB_URI")
    with pytest.raises(CommandError, match="CODEPARK_MONGODB_URI"):
        migrate("apply")

"""Released migrations: their text is what databases have applied, so that it must not change any more."""

import pytest

from projections.mongodb.migrator import migrations

RELEASED = {"0001_housekeeping.py": "db8e5e573bf0df90a911b9b4aaf0cd7a1f06fc08ba22ca9724a86a3ee0312b4f"}
"""The checksum of each released migration: a change needs a new migration, not a new checksum."""
EARLIER = {"0001_housekeeping.py": "754a8fe512410450fff710d972290db2c8fa78146b21e1a3259c68d94c13ba82"}
"""Checksums of texts that earlier releases applied, and that did the same."""

BY_FILE = {migration.path.name: migration for migration in migrations()}


@pytest.mark.parametrize("name", RELEASED)
def test_the_text_of_a_released_migration_does_not_change(name):
    assert BY_FILE[name].checksum == RELEASED[name]


@pytest.mark.parametrize("name", EARLIER)
def test_a_database_with_an_earlier_text_of_the_same_migration_is_accepted(name):
    assert BY_FILE[name].was_applied_as(EARLIER[name])
    assert BY_FILE[name].was_applied_as(RELEASED[name])
    assert not BY_FILE[name].was_applied_as("0" * 64)


def test_a_migration_imports_nothing_of_ours_that_may_be_renamed():
    packages = ("codepark", "commands", "domain", "insights", "projections", "read_api", "streams")
    for migration in migrations():
        text = migration.path.read_text(encoding="utf-8")
        assert not any(f"from {package}" in text or f"import {package}" in text for package in packages)

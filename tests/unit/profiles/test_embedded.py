"""The embedded profile over a temporary directory: what it opens, keeps up, and gives back."""

import asyncio
import threading

import pytest

from codepark.data_directory import DataDirectory, DirectoryHeldError
from codepark.profiles.embedded import EmbeddedProfile
from codepark.profiles.opener import open_profile
from codepark.profiles.profile import Node
from codepark.settings import Settings
from domain.actor import SERVICE
from domain.errors import NotFoundError
from projections.insights_model import INSIGHTS
from projections.models import READ_MODELS
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import StoreUnavailableError
from read_api.past_answers import Work
from tests.support.embedded import carry_out, create_project, register, started
from tests.support.time_scale import stretched

CODE = "def f(a):\n    return a or 1\n"


@pytest.fixture
def profile(tmp_path):
    with started(tmp_path / "data") as profile:
        yield profile


def caught_up(profile):
    """Wait until every read model includes the log's end."""
    progress = []
    profile.catch_up(lambda included, total: progress.append((included, total)), 60)
    assert progress[-1] == (profile.log.tip().sequence,) * 2
    return profile


def test_a_command_is_shown_as_soon_as_it_is_accepted(profile):
    project = create_project(profile, "engine")
    assert profile.queries.projects.get(project, SERVICE)["name"] == "engine"
    carry_out(profile, "project.update", target=project, name="machine")
    assert profile.queries.projects.get(project, SERVICE)["name"] == "machine"


def test_settings_without_kafka_open_it(tmp_path):
    profile = open_profile(Settings(data=tmp_path / "data"))
    try:
        assert isinstance(profile, EmbeddedProfile)
        assert not isinstance(profile, Node), "it serves alone"
    finally:
        profile.close()


def test_the_parts_belong_together(profile):
    assert profile.main_models == tuple(model.name for model in READ_MODELS)
    assert [model.name for model in profile.models] == [*profile.main_models, INSIGHTS]
    assert [runner.models for runner in profile.runners] == [profile.models[:-1], profile.models[-1:]]
    assert (len(profile.logs), profile.logs.accounts) == (1, profile.log)


def test_the_directory_is_held_until_it_is_closed(tmp_path):
    with started(tmp_path / "data"), pytest.raises(DirectoryHeldError, match="is held by another process"):
        EmbeddedProfile(Settings(data=tmp_path / "data"))
    with started(tmp_path / "data"):
        pass


def test_what_was_accepted_is_there_after_the_next_start(tmp_path):
    with started(tmp_path / "data") as profile:
        project = create_project(profile, "engine")
        account = register(profile)
    with started(tmp_path / "data") as profile:
        assert profile.queries.projects.get(project, SERVICE)["name"] == "engine"
        assert profile.queries.accounts.get_own(account)["email"] == "ada@example.org"


def test_a_start_that_fails_gives_the_directory_back_and_ends_its_threads(tmp_path, monkeypatch):
    def unavailable(_store, _models):
        raise StoreUnavailableError("the disk is full")

    before = set(threading.enumerate())
    with monkeypatch.context() as patch:
        patch.setattr(SQLiteDocumentStore, "prepare", unavailable)
        with pytest.raises(StoreUnavailableError, match="the disk is full"):
            EmbeddedProfile(Settings(data=tmp_path / "data"))
    assert set(threading.enumerate()) <= before
    with started(tmp_path / "data") as profile:
        create_project(profile)


def test_closing_ends_every_thread(tmp_path):
    before = set(threading.enumerate())
    with started(tmp_path / "data") as profile:
        create_project(profile)
    assert set(threading.enumerate()) <= before


def test_it_is_ready_once_the_models_include_the_log_of_the_start(tmp_path):
    with started(tmp_path / "data") as profile:
        create_project(profile)
    profile = EmbeddedProfile(Settings(data=tmp_path / "data"))
    try:
        assert profile.not_ready() == [*profile.main_models]
        profile.start_for_commands()
        caught_up(profile)
        assert profile.not_ready() == []
    finally:
        profile.close()


def test_it_is_ready_while_the_insights_are_behind(tmp_path):
    with started(tmp_path / "data") as profile:
        project = create_project(profile)
        profile.runners[1].close()
        carry_out(profile, "file.write", target=project, path="a.py", content=CODE)
    profile = EmbeddedProfile(Settings(data=tmp_path / "data"))
    try:
        with profile.runners[1].paused():
            profile.start_for_commands()
            while profile.not_ready():
                threading.Event().wait(0.01)
            assert profile.progress.sequence(INSIGHTS) < profile.log.tip().sequence
            assert profile.queries.projects.get(project, SERVICE)["insightsPending"]
    finally:
        profile.close()


def test_a_new_installation_is_ready_at_once(profile):
    assert profile.not_ready() == []
    assert profile.included() == {0: 0}


def test_catching_up_waits_for_the_insights_too(profile):
    project = create_project(profile)
    carry_out(profile, "file.write", target=project, path="a.py", content=CODE)
    caught_up(profile)
    assert profile.included() == {0: 2}
    assert profile.queries.insights.get(project, SERVICE)["complexity"] == 2


def test_catching_up_ends_in_time(profile):
    with profile.runners[1].paused():
        thread = threading.Thread(target=create_project, args=(profile,))
        thread.start()
        thread.join(stretched(30))
        shown = []
        profile.catch_up(lambda *progress: shown.append(progress), 0.1)
    assert shown[-1] == (0, 1)


def test_a_written_file_makes_work_for_the_insights_of_its_project_alone(profile):
    first, second = create_project(profile, "one"), create_project(profile, "two")
    carry_out(profile, "file.write", target=first, path="a.py", content=CODE)
    end = profile.log.tip().sequence
    assert profile.progress.needed(INSIGHTS, first, end) == end
    assert profile.progress.needed(INSIGHTS, second, end) == 0


def test_composed_answers_are_forgotten_with_what_they_show(profile):
    project = create_project(profile, "engine")
    before = profile.queries.projects.rendered(project, SERVICE)
    assert profile.queries.projects.rendered(project, SERVICE) == before
    carry_out(profile, "project.update", target=project, name="machine")
    assert profile.queries.projects.rendered(project, SERVICE) != before


def test_answers_are_forgotten_on_demand(profile):
    project = create_project(profile, "engine")
    before = profile.queries.projects.rendered(project, SERVICE)
    profile.forget_answers()
    assert profile.queries.projects.rendered(project, SERVICE) is not before


def test_the_past_is_the_history_up_to_a_position(profile):
    project = create_project(profile, "engine")
    created = profile.log.tip().sequence
    carry_out(profile, "project.update", target=project, name="machine")
    carry_out(profile, "file.write", target=project, path="a", content="1")

    def past(sequence):
        return profile.past.queries(project, sequence, Work())

    assert past(created).projects.get(project, SERVICE)["name"] == "engine"
    assert past(created + 1).projects.get(project, SERVICE)["name"] == "machine"
    with pytest.raises(NotFoundError):
        past(created + 1).files.get(project, "a", SERVICE)
    assert past(created + 2).files.get(project, "a", SERVICE)["content"] == "1"


def test_waiters_are_woken_in_the_loop_that_is_bound(profile):
    async def wait():
        profile.bind(asyncio.get_running_loop())
        needed = {0: profile.log.tip().sequence + 1}
        waiting = asyncio.create_task(profile.progress.wait(profile.main_models, needed, 30))
        await asyncio.to_thread(create_project, profile)
        await waiting

    asyncio.run(wait())


def test_deleted_data_can_be_overwritten_in_the_files(profile, tmp_path):
    create_project(profile, "a name that will be scrubbed")
    (scrub,) = profile.scrubs
    scrub()
    assert (tmp_path / "data" / "read.sqlite-wal").stat().st_size == 0


def test_the_secret_of_the_settings_comes_first(tmp_path, monkeypatch):
    secrets = DataDirectory(tmp_path / "other").secrets()
    with started(tmp_path / "data", secret=secrets) as profile:
        assert profile.secrets is secrets
    assert not (tmp_path / "data" / "secret.key").exists()

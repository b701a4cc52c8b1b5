"""An erasure is completed whatever fails on the way, and nothing is forgotten halfway."""

import threading

import pytest

from codepark import eraser as module
from codepark.eraser import Eraser
from commands.bus import accepted
from commands.intake import CommandMetadata
from commands.log import LogUnavailableError
from domain.account.commands import EraseAccount
from domain.actor import SERVICE
from projections.store import StoreUnavailableError
from tests.support.embedded import register, started
from tests.support.server import eventually
from tests.support.time_scale import stretched


class Caches:
    """What an eraser empties, and how often it did."""

    def __init__(self):
        self.here = self.shared = 0
        self.mail = []
        self.failing = []

    def forget_here(self):
        self.here += 1

    def forget(self):
        if self.failing:
            raise self.failing.pop(0)
        self.shared += 1


class Logger:
    """What an eraser logs, by event."""

    def __init__(self):
        self.events = []

    def info(self, event, **_facts):
        self.events.append(event)

    warning = exception = info


@pytest.fixture(autouse=True)
def logger(monkeypatch):
    """Try again at once, and remember what is logged."""
    logger = Logger()
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(module, "logger", logger)
    return logger


@pytest.fixture
def profile(tmp_path):
    with started(tmp_path / "data") as profile:
        yield profile


@pytest.fixture
def caches():
    return Caches()


@pytest.fixture
def eraser(profile, caches):
    eraser = new_eraser(profile, caches)
    yield eraser
    eraser.close()


def new_eraser(profile, caches):
    return Eraser(
        profile,
        forget_here=[caches.forget_here],
        forget=[caches.forget],
        forget_mail=caches.mail.append,
    )


def erase(profile, account):
    command = EraseAccount(account_id=account, authors=())
    submission = profile.intake.submit(command, None, CommandMetadata(actor=SERVICE))
    accepted(profile.bus.execute_sync([submission])[0])


def topics(profile):
    return [record.topic for record in profile.log.read(0, 100)]


def test_an_erasure_is_completed_in_the_log(profile, caches, eraser):
    account = register(profile)
    eraser.start()
    erase(profile, account)
    assert eraser.wait(account, stretched(30))
    assert topics(profile)[-1] == "erasure.completed"
    assert caches.here == 1
    assert caches.shared == 2, "before the traces are looked for, and after they are erased"
    assert caches.mail == [account]
    assert profile.keys.get(account) is None


def test_the_keys_are_forgotten_before_the_command_is_answered(profile, caches, eraser):
    """The thread does not run: what the appending thread does is enough for that."""
    account = register(profile)
    erase(profile, account)
    assert caches.here == 1
    assert not eraser.wait(account, 0.01), "the rest waits for the thread"


def test_an_erasure_without_an_end_is_continued_at_the_next_start(profile, caches):
    account = register(profile)
    erase(profile, account)
    eraser = new_eraser(profile, caches)
    eraser.start()
    eventually(lambda: topics(profile)[-1] == "erasure.completed")
    eraser.close()
    assert caches.mail == [account]


def test_a_completed_erasure_is_not_repeated(profile, caches, eraser):
    account = register(profile)
    eraser.start()
    erase(profile, account)
    assert eraser.wait(account, stretched(30))
    count = len(topics(profile))
    again = new_eraser(profile, Caches())
    again.start()
    eventually(lambda: again._resumed)
    again.close()
    assert len(topics(profile)) == count


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (StoreUnavailableError("no disk"), "an erasure waits"),
        (LogUnavailableError("no log"), "an erasure waits"),
        (ValueError("a fault of ours"), "an erasure failed; it is tried again"),
    ],
)
def test_a_step_that_fails_is_tried_again(profile, caches, eraser, logger, error, event):
    caches.failing = [error] * 3
    account = register(profile)
    eraser.start()
    erase(profile, account)
    assert eraser.wait(account, stretched(30))
    assert caches.failing == []
    assert topics(profile).count("erasure.completed") == 1
    assert logger.events == [event] * 3 + ["a person was erased"]


def test_the_read_models_must_include_the_erasure(profile, caches, eraser, monkeypatch):
    monkeypatch.setattr(module, "_CATCH_UP_SECONDS", 0.05)
    account = register(profile)
    eraser.start()
    with profile.runners[0].paused():
        thread = threading.Thread(target=erase, args=(profile, account))
        thread.start()
        thread.join(stretched(30))
        assert not eraser.wait(account, 0.3)
    assert eraser.wait(account, stretched(30))


def test_closing_ends_a_wait(profile, caches):
    eraser = new_eraser(profile, caches)
    account = register(profile)
    erase(profile, account)
    waiting = threading.Thread(target=eraser.wait, args=(account, 60))
    waiting.start()
    eraser.close()
    waiting.join(stretched(10))
    assert not waiting.is_alive()

"""A log, a store and runners over them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.insights_model import insights_model
from projections.models import READ_MODELS
from projections.progress import Progress
from projections.sqlite.store import SQLiteDocumentStore
from streams.runner import Runner
from tests.support.documents import dump
from tests.support.inline_analyser import InlineAnalyser
from tests.support.profile import Commands


class Projections:
    """A runner that a test drives step by step, or starts."""

    def __init__(self, commands: Commands, path: Path, models=None, **options) -> None:
        self.models = models or (*READ_MODELS, insights_model(InlineAnalyser()))
        self.store = SQLiteDocumentStore(path)
        self.store.prepare(self.models)
        self.progress = Progress()
        self.runner = Runner(commands.log, self.store, self.models, self.progress, **options)
        self.runner._load()

    def catch_up(self) -> None:
        self.runner._ended = False  # also after the runner was closed
        while self.runner._step():
            pass

    def dump(self) -> dict[str, list]:
        return {c.name: list(dump(self.store, c.name)) for model in self.models for c in model.collections}

    def close(self) -> None:
        self.runner.close()
        self.store.close()


@pytest.fixture
def projections(commands: Commands, tmp_path: Path) -> Iterator[Projections]:
    made = Projections(commands, tmp_path / "read.sqlite")
    yield made
    made.close()

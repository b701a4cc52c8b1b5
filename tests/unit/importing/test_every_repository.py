"""After the import of any repository, the project has the files of `git ls-tree -r HEAD`."""

import pytest

from codepark.history_import.git.paths import path_text
from codepark.history_import.histories import open_history
from codepark.history_import.run import import_history
from codepark.history_import.sinks import LocalSink
from codepark.history_import.source import text_of
from domain.actor import SERVICE
from projections.models.files import CONTENTS, FILES
from projections.store import Equals, Query
from tests.support.embedded import started
from tests.unit.importing.conftest import Workspace
from tests.unit.importing.repositories import REPOSITORIES


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    """One application for all imports."""
    with started(tmp_path_factory.mktemp("application") / "data") as profile:
        yield profile


def files_of_git(repository):
    """Return the files of HEAD by path, as the git program lists them."""
    entries = repository.git("ls-tree", "-r", "-z", "HEAD").split(b"\0")[:-1]
    files, blobs = {}, []
    for entry in entries:
        facts, _, path = entry.partition(b"\t")
        _, kind, sha = facts.split()
        files[path] = None
        if kind == b"blob":
            blobs.append((path, sha))
    output = repository.git("cat-file", "--batch", stdin=b"".join(sha + b"\n" for _, sha in blobs))
    for path, _ in blobs:
        head, _, output = output.partition(b"\n")
        size = int(head.split()[2])
        files[path] = text_of(output[:size])
        output = output[size + 1 :]
    return files


def files_of_project(profile, project_id):
    query = Query(collection=FILES, where=(Equals("projectId", project_id),), sort="path", limit=10_000)
    documents = profile.store.find(query)
    contents = profile.store.get_many(CONTENTS, [document["id"] for document in documents])
    return {document["path"]: contents[document["id"]]["content"] for document in documents}


def assert_imported(profile, path, name, **options):
    """Import the history at *path*, twice; compare the files, and what the second import adds."""
    ends = []
    for _ in range(2):
        source = open_history(path, **options)
        try:
            imported = import_history(source, LocalSink(profile, SERVICE), name)
        finally:
            source.close()
        ends.append((imported, profile.log.tip().sequence))
    assert ends[0] == ends[1]
    expected = files_of_git(Workspace(path, new=False))
    files = files_of_project(profile, imported.project_id)
    assert files == {path_text(name): content for name, content in expected.items()}
    assert (imported.files, imported.skipped, len(files)) == (len(expected), 0, len(expected))


@pytest.mark.parametrize("name", REPOSITORIES)
def test_the_files_are_those_of_git(profile, repository, name):
    path = REPOSITORIES[name](repository) or repository.path
    assert_imported(profile, path, name)
    assert_imported(profile, path, f"{name}, all parents", all_parents=True)


def test_there_are_forty_repositories():
    assert len(REPOSITORIES) >= 40

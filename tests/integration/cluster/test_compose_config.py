"""compose.yaml is what `docker compose` takes: its own loader says so, and it does refuse what is wrong."""

import pytest

from devservers.errors import MissingError
from tests.support import compose
from tests.support.cluster import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]  # the first time, it is built

WRONG = {
    "a misspelt key": ("  depends_on:", "  depend_on:", "depend_on"),
    "no number": ("retries: 6", "retries: six", "healthcheck.retries"),
}


def load(file):
    try:
        return compose.checked(file)
    except MissingError as error:
        pytest.skip(str(error))  # not `cannot_have`: Debian's go is too old for it, so no run can demand it


def test_compose_takes_the_file():
    loaded = load(ROOT / "compose.yaml")
    assert loaded.returncode == 0, loaded.stderr


@pytest.mark.parametrize("name", WRONG)
def test_compose_refuses_a_copy_with(tmp_path, name):
    right, wrong, named = WRONG[name]
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert right in text
    copy = tmp_path / "compose.yaml"
    copy.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    loaded = load(copy)
    assert loaded.returncode != 0
    assert named in loaded.stderr


def test_without_docker_and_go_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match="neither is there"):
        compose.checked(ROOT / "compose.yaml")

"""Two checkouts in turns: each runs its own code, and the ratios are those of the rounds."""

import itertools
import subprocess
import sys

import pytest

from bench.api import file_writes
from bench.checkout import Checkout, CheckoutError
from bench.compare import NAMES, NEW, OLD, Comparison, main


def compared(better, **values):
    comparison = Comparison()
    for pair in zip(values[OLD], values[NEW], strict=True):
        for side, value in zip((OLD, NEW), pair, strict=True):
            comparison.add("rate", side, value, unit="1/s", better=better, about="requests")
    return comparison.document()["rate"]


def test_the_ratio_is_the_median_of_the_rounds_and_above_one_favours_the_new_checkout():
    entry = compared("higher", old=[100, 10, 100], new=[200, 40, 100])
    assert entry[OLD] == {"median": 100, "values": [100, 10, 100]}
    assert entry[NEW] == {"median": 100, "values": [200, 40, 100]}
    assert (entry["ratio"], entry["ratios"]) == (2, [2, 4, 1])


def test_the_ratio_turns_round_where_less_is_better():
    assert compared("lower", old=[10], new=[5])["ratio"] == 2


def test_nothing_divides_by_zero():
    assert compared("higher", old=[0], new=[5])["ratio"] is None


@pytest.fixture
def checkout(tmp_path):
    package = tmp_path / "codepark"
    package.mkdir()
    (package / "__init__.py").write_text("")
    return Checkout(tmp_path)


def test_a_checkout_runs_its_own_code_whatever_the_working_directory(checkout):
    checkout.check()
    assert checkout.python == sys.executable
    assert checkout.run(["-c", "import codepark; print(codepark.__file__)"]).startswith(str(checkout.root))


def test_a_checkout_with_an_environment_of_its_own_uses_its_interpreter(checkout):
    folder = checkout.root / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    assert Checkout(checkout.root).python == str(folder / "python")


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    with pytest.raises(CheckoutError):
        Checkout(tmp_path).check()


def test_the_commit_is_that_of_the_checkout(checkout):
    assert checkout.commit is None
    del checkout.commit
    git = ["git", "-C", str(checkout.root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "one"]):
        subprocess.run([*git, *arguments], check=True)
    commit = checkout.commit
    assert len(commit) == 12
    (checkout.root / "codepark" / "__init__.py").write_text("changed = True\n")
    del checkout.commit
    assert checkout.commit == f"{commit}-dirty"


def test_a_measure_that_does_not_exist_is_refused(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--only", "everything"])
    complaint = capsys.readouterr().err
    assert [name for name in NAMES if name not in complaint] == []


def test_every_write_of_a_file_changes_its_content():
    requests = list(itertools.islice(file_writes("t", ["a", "b"]), 6))
    bodies = [request.partition(b"\r\n\r\n")[2] for request in requests]
    assert [request.split(b" ")[1] for request in requests] == [
        f"/api/v1/projects/{key}/files/src/main.py".encode() for key in "ababab"
    ]
    assert bodies[0] != bodies[2] != bodies[4]
    again = next(file_writes("t", ["a", "b"])).partition(b"\r\n\r\n")[2]
    assert again not in bodies

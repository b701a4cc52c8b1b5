"""What the process that parses strangers' files can reach: nothing but its two pipes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from insights.analyser import ProcessAnalyser
from insights.confinement import environment_of_child

ROOT = Path(__file__).parents[3]
SECRETS = {
    "CODEPARK_SECRET_KEY": "the secret key",
    "CODEPARK_SMTP_URL": "smtp://user:password@mail.example.org",
    "CODEPARK_MONGODB_URI": "mongodb://user:password@db",
    "DATABASE_URL": "postgres://user:password@db",
    "AWS_SECRET_ACCESS_KEY": "another one",
    "HOME": "/root",
}
ATTEMPTS = """
import os, socket, sys
from insights.confinement import confine
sys.stdout.write(f"missing {confine()}\\n")
def attempt(name, act):
    try:
        act()
    except OSError as error:
        sys.stdout.write(f"{name} refused\\n")
    else:
        sys.stdout.write(f"{name} done\\n")
attempt("connect", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5))
attempt("unix", lambda: socket.socket(socket.AF_UNIX).connect(sys.argv[2]))
attempt("read", lambda: open(sys.argv[3]))
attempt("write", lambda: open(sys.argv[3], "a"))
try:
    kept = bytearray(2 * 1024**3)
except MemoryError:
    sys.stdout.write("memory refused\\n")
sys.stdout.flush()
"""


def test_the_child_has_none_of_the_secrets(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    analyser = ProcessAnalyser()
    try:
        analyser.analyse("a.py", "x = 1\n")
        environment = Path(f"/proc/{analyser._child.pid}/environ").read_bytes().decode()
    finally:
        analyser.close()
    names = {entry.partition("=")[0] for entry in environment.split("\0") if entry}
    assert names <= {"LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH"}
    assert not any(value in environment for name, value in SECRETS.items() if name != "HOME")


def test_the_way_to_the_code_is_kept():
    kept = environment_of_child({"PYTHONPATH": "/extra", "LANG": "C.UTF-8", "SMTP_PASSWORD": "x"}, "/code")
    assert kept == {"PYTHONPATH": os.pathsep.join(("/code", "/extra")), "LANG": "C.UTF-8"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have fewer limits")
def test_from_inside_no_connection_and_no_file_can_be_opened(tmp_path):
    (tmp_path / "secret.key").write_text("the secret key")
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "s"))
        local.listen()
        port = listening.getsockname()[1]
        answer = subprocess.run(
            [sys.executable, "-c", ATTEMPTS, str(port), str(tmp_path / "s"), str(tmp_path / "secret.key")],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
        )
    _, *attempts = answer.stdout.splitlines()
    assert attempts == [f"{name} refused" for name in ("connect", "unix", "read", "write", "memory")]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no namespaces")
def test_the_child_is_in_a_network_of_its_own_or_says_that_it_is_not():
    analyser = ProcessAnalyser()
    try:
        missing = analyser.missing()
        network = Path(f"/proc/{analyser._child.pid}/ns/net").readlink()
    finally:
        analyser.close()
    says_so = any(name.startswith("a network namespace of its own") for name in missing)
    assert (network == Path("/proc/self/ns/net").readlink()) == says_so


def test_what_the_platform_refuses_is_named(monkeypatch):
    program = (
        "import insights.confinement as c\n"
        "def refuse(*_): raise OSError(1, 'Operation not permitted')\n"
        "c._call = refuse\n"
        "import sys; sys.stdout.write(repr(c.confine())); sys.stdout.flush()\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert answer.stdout == (
        "('a network namespace of its own (Operation not permitted)',"
        " 'no new privileges (Operation not permitted)')"
    )


def test_the_start_says_once_what_is_missing(monkeypatch, capsys):
    analyser = ProcessAnalyser()
    try:
        analyser.analyse("a.py", "x = 1\n")
        analyser._child.kill()
        analyser._child._process.wait()
        analyser.analyse("a.py", "x = 2\n")
    finally:
        analyser.close()
    assert capsys.readouterr().out.count("analyser started") == 1

"""The secrets of compose.yaml: Compose mounts them as they are, and each process can use what it gets."""

import copy
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from codepark.settings import read_settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
OTHERS_READ = stat.S_IROTH
CONTAINER_USER = re.compile(r"--uid (\d+)")


def refused(compose):
    """Return what `docker compose up` refuses of the secrets of *compose*, beyond its schema.

    Compose copies a secret from the environment, or from `content`, into the container, which a read-only
    one does not take; a file is mounted. It ignores `uid`, `gid` and `mode` of a mounted file.
    """
    reasons = []
    for name, service in compose["services"].items():
        for secret in service.get("secrets", ()):
            source = secret if isinstance(secret, str) else secret["source"]
            given = compose["secrets"].get(source)
            if given is None:
                reasons.append(f"{name}: there is no secret {source}")
            elif service.get("read_only") and set(given) != {"file"}:
                reasons.append(f"{name}: cannot create secret {source} in a read-only service")
            elif not isinstance(secret, str) and {"uid", "gid", "mode"} & set(secret):
                reasons.append(f"{name}: uid, gid and mode of {source} are ignored")
    return reasons


def test_compose_takes_the_secrets():
    assert refused(COMPOSE) == []


@pytest.mark.parametrize("given", [{"environment": "CODEPARK_SECRET_KEY"}, {"content": "c2VjcmV0"}, None])
def test_compose_refuses_a_secret_that_it_would_have_to_copy(given):
    wrong = copy.deepcopy(COMPOSE)
    wrong["secrets"]["secret-key"] = given
    users = [name for name, each in wrong["services"].items() if "secret-key" in each.get("secrets", ())]
    assert len(users) == len(refused(wrong)) == 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the secrets were made twice."""
    folder = tmp_path_factory.mktemp("installation")
    printed = [made(folder) for _ in range(2)]
    assert len(printed[0].splitlines()) == len(COMPOSE["secrets"])
    assert printed[1] == "", "what exists is never changed"
    return folder


def made(folder):
    return subprocess.run(
        ["sh", str(ROOT / "deploy/secrets.sh")], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def text(folder, name):
    return (folder / "secrets" / name).read_text(encoding="utf-8").strip()


def test_a_second_run_changes_nothing_and_adds_what_is_missing(folder):
    before = {file.name: file.read_bytes() for file in (folder / "secrets").iterdir()}
    (folder / "secrets/valkey-conf").unlink()
    assert made(folder) == "made secrets/valkey-conf\n"
    assert {file.name: file.read_bytes() for file in (folder / "secrets").iterdir()} == before


def test_each_file_is_made_for_the_users_of_the_containers_and_nobody_else(folder):
    (uid,) = CONTAINER_USER.findall((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert int(uid) != os.getuid()
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700, "others do not reach the files"
    for name, secret in COMPOSE["secrets"].items():
        file = folder / secret["file"]
        assert file.name == name
        assert stat.S_IMODE(file.stat().st_mode) & OTHERS_READ, f"{name} is not readable by uid {uid}"


def test_each_process_reads_its_settings_from_them(folder, monkeypatch):
    for name, service in COMPOSE["services"].items():
        if "build" not in service:
            continue
        variables = {
            variable: interpolated(value).replace("/run/secrets", str(folder / "secrets"))
            for variable, value in service["environment"].items()
        }
        settings = read_settings(variables)
        cluster = settings.cluster()
        password = text(folder, "mongodb-password")
        assert cluster.mongodb_uri.startswith(f"mongodb://codepark:{password}@mongo:27017/"), name
        assert cluster.redis.pubsub == f"redis://:{text(folder, 'valkey-password')}@valkey:6379/0"
        assert cluster.redis.queue == f"redis://:{text(folder, 'valkey-password')}@valkey-queue:6379/0"
        assert cluster.kafka.client_options()["sasl_plain_password"] == text(folder, "kafka-password")
        assert cluster.kafka.client_options()["security_protocol"] == "SASL_PLAINTEXT"


def interpolated(value):
    """Return *value* as Compose gives it where no variable is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


def test_the_servers_take_the_passwords_that_the_processes_send(folder):
    kafka = text(folder, "kafka-password")
    assert f'user_codepark="{kafka}"' in text(folder, "kafka-jaas")
    assert f'password="{kafka}"' in text(folder, "kafka-client")
    assert text(folder, "valkey-conf") == f"requirepass {text(folder, 'valkey-password')}"
    services = COMPOSE["services"]
    assert services["valkey"]["command"][1] == "/run/secrets/valkey-conf"
    mongodb = services["mongo"]["environment"]
    assert mongodb["MONGO_INITDB_ROOT_PASSWORD_FILE"] == "/run/secrets/mongodb-password"
    assert "--keyFile" in services["mongo"]["entrypoint"][-1]


def test_no_secret_is_in_an_environment_or_an_image():
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|_URI|REDIS_URL", name):
                assert value.startswith("/run/secrets/"), name
    assert "secrets" not in (ROOT / ".dockerignore").read_text(encoding="utf-8").replace("no secrets", "")
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()

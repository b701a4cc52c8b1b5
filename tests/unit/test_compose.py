"""compose.yaml and the Dockerfile agree with the code: without Docker, nothing else reads them."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from codepark.cli.main import app
from devservers import jars

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("build")}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SETTINGS = "".join(
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("codepark/settings.py", "commands/kafka/settings.py")
    if (ROOT / name).exists()
)
KEYS = {
    "build",
    "cap_drop",
    "command",
    "depends_on",
    "environment",
    "expose",
    "healthcheck",
    "image",
    "init",
    "ports",
    "read_only",
    "restart",
    "secrets",
    "security_opt",
    "stop_grace_period",
    "tmpfs",
    "volumes",
}
DURATION = re.compile(r"\d+s")


def ports(service):
    """Return (port of the host, port of the container) of a service."""
    return [tuple(map(int, mapping.split(":")[1:])) for mapping in service.get("ports", ())]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_well_formed(name):
    service = SERVICES[name]
    assert set(service) <= KEYS
    assert service["image"]
    assert all(isinstance(word, str) for word in service.get("command", ()))
    assert all(isinstance(value, str) for value in service.get("environment", {}).values())
    assert all(mapping.startswith("127.0.0.1:") for mapping in service.get("ports", ()))
    assert set(service.get("depends_on", ())) <= set(SERVICES)
    assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_a_health_check(name):
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert all(isinstance(word, str) for word in check["test"])
    assert all(DURATION.fullmatch(check[key]) for key in ("interval", "timeout", "start_period"))
    assert check["retries"] > 0


@pytest.mark.parametrize("name", OURS)
def test_the_python_of_a_health_check_is_python(name):
    program, option, code = SERVICES[name]["healthcheck"]["test"][1:]
    assert (program, option) == ("python", "-c")
    compile(code, name, "exec")


def test_each_volume_is_used_once_and_named():
    used = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
    assert sorted(used) == sorted(COMPOSE["volumes"])


@pytest.mark.parametrize("name", OURS)
def test_our_processes_are_commands(name):
    program, command, *_ = SERVICES[name]["command"]
    assert program == "codepark"
    assert command in set(app), f"codepark has no command {command}"


@pytest.mark.parametrize("name", OURS)
def test_each_setting_is_read(name):
    variables = set(SERVICES[name]["environment"])
    assert {variable for variable in variables if f'"{variable}"' not in SETTINGS} == set()


def test_the_image_sets_what_is_read():
    assert {
        name for name in re.findall(r"CODEPARK_[A-Z_]+", DOCKERFILE) if f'"{name}"' not in SETTINGS
    } == set()


def test_our_processes_wait_for_their_servers_and_reach_them():
    for service in OURS.values():
        assert set(service["depends_on"]) == {"kafka", "mongo", "valkey"}
        assert all(need == {"condition": "service_healthy"} for need in service["depends_on"].values())
        environment = service["environment"]
        assert environment["CODEPARK_KAFKA_BOOTSTRAP_SERVERS"] in SERVICES["kafka"]["environment"][
            "KAFKA_ADVERTISED_LISTENERS"
        ].removeprefix("PLAINTEXT://").split(",")
        assert environment["CODEPARK_MONGODB_URI"] == "mongodb://mongo:27017/?replicaSet=rs0"
        assert environment["CODEPARK_REDIS_URL"] == "redis://valkey:6379/0"


def test_the_ports_match():
    apis = {name: service for name, service in OURS.items() if service.get("ports")}
    assert len(apis) == 2
    assert len({host for service in apis.values() for host, _ in ports(service)}) == 2
    for name, service in apis.items():
        port = int(service["environment"]["CODEPARK_PORT"])
        assert [inner for _, inner in ports(service)] == [port]
        assert f":{port}/health/ready" in service["healthcheck"]["test"][-1]
        assert f"EXPOSE {port}" in DOCKERFILE
        host, _, node_port = service["environment"]["CODEPARK_NODE_ADDRESS"].partition(":")
        assert (host, [node_port]) == (name, service["expose"])


def test_the_secret_is_a_file_that_no_image_holds():
    for service in OURS.values():
        assert service["environment"]["CODEPARK_SECRET_KEY_FILE"] == f"/run/secrets/{service['secrets'][0]}"
        assert "CODEPARK_SECRET_KEY" not in service["environment"]


def test_kafka_is_the_version_of_the_tests():
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{jars.version()}"


def test_the_image_holds_the_packages_and_no_root():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE) == packages
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*"
    assert {f"!{package}" for package in packages} <= set(ignored)
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER codepark$", last, re.MULTILINE)
    sources = re.findall(r"^COPY ((?!--from)[^\n]+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {f"!{source}" for sources in sources for source in sources.split()} <= set(ignored)

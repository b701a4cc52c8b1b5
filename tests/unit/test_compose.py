"""compose.yaml and the Dockerfile agree with the code: without Docker, nothing else reads them."""

import re
import tomllib
from ipaddress import ip_address, ip_network
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
    for name in ("codepark/settings.py", "codepark/gateway_settings.py", "commands/kafka/settings.py")
)
KEYS = {
    "build",
    "cap_add",
    "cap_drop",
    "command",
    "depends_on",
    "deploy",
    "entrypoint",
    "environment",
    "expose",
    "healthcheck",
    "image",
    "init",
    "logging",
    "networks",
    "ports",
    "profiles",
    "read_only",
    "restart",
    "secrets",
    "security_opt",
    "stop_grace_period",
    "tmpfs",
    "volumes",
}
OWN_ADDRESS = "${CODEPARK_PROXY_ADDRESS:-127.0.0.1}:"
STORES = {"mongo", "valkey", "valkey-queue"}
BROKERS = {name: service for name, service in SERVICES.items() if name.startswith("kafka")}
DURATION = re.compile(r"\d+s")


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_well_formed(name):
    service = SERVICES[name]
    assert set(service) <= KEYS
    assert service["image"]
    assert all(isinstance(word, str) for word in service.get("command", ()))
    assert all(isinstance(value, str) for value in service.get("environment", {}).values())
    assert all(mapping.startswith(OWN_ADDRESS) for mapping in service.get("ports", ()))
    assert set(service["networks"]) <= set(COMPOSE["networks"])
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
    sources = [volume.split(":")[0] for each in SERVICES.values() for volume in each.get("volumes", ())]
    named = [source for source in sources if not source.startswith("./")]
    assert sorted(named) == sorted(COMPOSE["volumes"])
    assert all((ROOT / source).is_file() for source in sources if source not in named)


@pytest.mark.parametrize("name", OURS)
def test_our_processes_are_commands(name):
    program, command, *_ = SERVICES[name]["command"]
    assert program == "codepark"
    assert command in set(app), f"codepark has no command {command}"


@pytest.mark.parametrize("name", OURS)
def test_each_setting_is_read(name):
    variables = set(SERVICES[name]["environment"])
    read = {variable.removesuffix("_URI_FILE").removesuffix("_URL_FILE") for variable in variables}
    assert {variable for variable in read if f'"{variable}' not in SETTINGS} == set()


def test_the_image_sets_what_is_read():
    assert {
        name for name in re.findall(r"CODEPARK_[A-Z_]+", DOCKERFILE) if f'"{name}"' not in SETTINGS
    } == set()


def test_our_processes_wait_for_their_servers_and_reach_them():
    for service in OURS.values():
        needs = service["depends_on"]
        assert set(needs) == {*BROKERS, *STORES}
        assert all(need["condition"] == "service_healthy" for need in needs.values())
        assert {name for name, need in needs.items() if need.get("required", True)} == STORES
        assert service["environment"]["CODEPARK_KAFKA_BOOTSTRAP_SERVERS"] == "kafka:9092"
        assert "inside" in service["networks"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize(("profile", "count"), [("one", 1), ("three", 3)])
def test_each_profile_has_its_brokers(profile, count):
    brokers = {name: each for name, each in BROKERS.items() if each["profiles"] == [profile]}
    assert len(brokers) == count
    voters = []
    for name, broker in brokers.items():
        environment = broker["environment"]
        voters.append(f"{environment['KAFKA_NODE_ID']}@{name}:9093")
        assert environment["KAFKA_ADVERTISED_LISTENERS"] == f"SASL_PLAINTEXT://{name}:9092"
        assert environment["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] == str(count)
        networks = broker["networks"]
        assert name == "kafka" or networks["inside"]["aliases"] == ["kafka"]
    for broker in brokers.values():
        assert broker["environment"]["KAFKA_CONTROLLER_QUORUM_VOTERS"] == ",".join(voters)


def test_the_proxy_alone_is_reached_from_outside_and_reaches_every_node():
    proxy = SERVICES["proxy"]
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}
    apis = {name: service for name, service in OURS.items() if service["command"][1] == "serve"}
    assert {name for name, each in OURS.items() if "front" in each["networks"]} == {*apis, "jobs"}
    assert len(apis) == 2
    upstreams = " ".join(f"{name}:3000" for name in apis)
    assert f"reverse_proxy {upstreams} " in (ROOT / "deploy/Caddyfile").read_text(encoding="utf-8")
    address = proxy["networks"]["front"]["ipv4_address"]
    (subnet,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert ip_address(address) in ip_network(subnet["subnet"])
    for name, service in apis.items():
        environment = service["environment"]
        assert environment["CODEPARK_TRUSTED_PROXIES"] == address
        assert environment["CODEPARK_PUBLIC_URL"] == "https://${CODEPARK_DOMAIN:-localhost}"
        port = int(environment["CODEPARK_PORT"])
        assert f":{port}/health/ready" in service["healthcheck"]["test"][-1]
        assert f"EXPOSE {port}" in DOCKERFILE
        host, _, node_port = environment["CODEPARK_NODE_ADDRESS"].partition(":")
        assert (host, node_port in service["expose"]) == (name, True)


def test_each_kind_of_worker_runs():
    commands = [service["command"][1:3] for service in OURS.values() if service["command"][1] == "worker"]
    assert sorted(kind for _, kind in commands) == ["insights", "jobs", "projections", "public"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_limits_and_a_log_that_does_not_grow(name):
    service = SERVICES[name]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert service["restart"] == "unless-stopped"
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS)))
def test_each_image_is_named_by_its_exact_version(name):
    assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?", SERVICES[name]["image"])


def test_the_cache_is_bounded():
    command = SERVICES["valkey"]["command"]
    assert command[command.index("--maxmemory") + 1] == "256mb"
    assert command[command.index("--maxmemory-policy") + 1] == "volatile-lru"


def test_the_queue_drops_nothing():
    command = SERVICES["valkey-queue"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert command[command.index("--appendonly") + 1] == "yes"


def test_kafka_is_the_version_of_the_tests():
    assert {broker["image"] for broker in BROKERS.values()} == {f"apache/kafka:{jars.version()}"}


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


def test_the_image_is_built_on_exact_versions():
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", bases[0])
    assert re.search(r"^# syntax=docker/dockerfile:\d+\.\d+\.\d+$", DOCKERFILE, re.MULTILINE)

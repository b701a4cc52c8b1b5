"""The settings of compose.yaml, taken by real servers: they start, and let nobody in without the password."""

import asyncio
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import redis
import yaml
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from codepark.settings import read_settings
from devservers.errors import ServerError
from devservers.kafka import Kafka
from devservers.valkey import ValkeyServer
from tests.support.cluster import ROOT, private_server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
KEY_FILE = "/tmp/keyfile"  # noqa: S108 # in the container


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compose")
    subprocess.run(["sh", str(ROOT / "deploy/secrets.sh")], cwd=folder, check=True)
    return folder / "secrets"


def processes_settings(secrets):
    """Return the settings of our processes."""
    return {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value).replace("/run/secrets", str(secrets))
        for name, value in SERVICES["projections"]["environment"].items()
    }


class ComposeKafka(Kafka):
    """The broker of the profile `one`, as its image reads it: KAFKA_X_Y is the property x.y."""

    secrets: Path

    def answers(self):
        return self.signs_in(**self.login())

    def login(self):
        variables = processes_settings(self.secrets)
        options = read_settings(variables).cluster().kafka.client_options()
        return {name: value for name, value in options.items() if name != "bootstrap_servers"}

    def signs_in(self, **options):
        """Return whether a client with these options gets an answer."""

        async def ask():
            client = AIOKafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=3_000, **options)
            try:
                await client.start()
                return bool((await client.describe_cluster())["brokers"])
            except (KafkaError, OSError, TimeoutError):
                return False
            finally:
                await client.close()

        return asyncio.run(ask())

    def _properties(self):
        variables = SERVICES["kafka"]["environment"]
        ours = {
            name.removeprefix("KAFKA_").lower().replace("_", "."): value
            for name, value in variables.items()
            if name.startswith("KAFKA_") and name not in ("KAFKA_OPTS", "KAFKA_HEAP_OPTS")
        }
        places = {
            "kafka:9092": f"127.0.0.1:{self.port}",
            "kafka:9093": f"127.0.0.1:{self.controller_port}",
            "://:9092": f"://127.0.0.1:{self.port}",
            "://:9093": f"://127.0.0.1:{self.controller_port}",
            "/var/lib/kafka/data": str(self.folder / "data"),
        }
        for there, here in places.items():
            ours = {name: value.replace(there, here) for name, value in ours.items()}
        return ours

    def _format(self):
        command = [*self._java("-Xmx256m"), "kafka.tools.StorageTool", "format", "-c", str(self._settings)]
        command += ["-t", SERVICES["kafka"]["environment"]["CLUSTER_ID"]]
        formatted = subprocess.run(command, capture_output=True, text=True, check=False)
        if formatted.returncode:
            raise ServerError(formatted.stdout + formatted.stderr)

    def _java(self, *options):
        given = SERVICES["kafka"]["environment"]["KAFKA_OPTS"].replace("/run/secrets", str(self.secrets))
        return super()._java(given, *options)


def test_kafka_starts_and_asks_for_the_password(tmp_path, secrets):
    ComposeKafka.secrets = secrets
    with private_server(ComposeKafka, tmp_path / "kafka") as kafka:
        login = kafka.login()
        assert kafka.signs_in(**login)
        assert not kafka.signs_in()
        assert not kafka.signs_in(**login | {"sasl_plain_password": "wrong"})


class ComposeValkey(ValkeyServer):
    """The Valkey of compose.yaml."""

    secrets: Path

    def _command(self):
        listening = super()._command()[:3]
        words = [word.replace("/run/secrets", str(self.secrets)) for word in SERVICES["valkey"]["command"]]
        return [
            listening[0],
            words[1],
            *listening[1:],
            *words[2:],
            "--dir",
            str(self.folder),
            "--bind",
            "127.0.0.1",
        ]


def test_valkey_starts_bounded_and_asks_for_the_password(tmp_path, secrets):
    ComposeValkey.secrets = secrets
    password = (secrets / "valkey-password").read_text().strip()
    with (
        private_server(ComposeValkey, tmp_path / "valkey", password=password) as valkey,
        redis.Redis.from_url(valkey.address) as client,
        redis.Redis(port=valkey.port) as stranger,
    ):
        url = read_settings(processes_settings(secrets)).cluster().redis.cache
        assert url.replace("valkey:6379", f"127.0.0.1:{valkey.port}") == valkey.address
        assert client.config_get("maxmemory") == {"maxmemory": str(256 * 1024 * 1024)}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()


@pytest.mark.skipif(shutil.which("bash") is None, reason="the image has bash, and this machine has none")
def test_the_key_file_is_the_databases_alone(tmp_path, secrets):
    entry = SERVICES["mongo"]["entrypoint"]
    (tmp_path / "docker-entrypoint.sh").write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    (tmp_path / "docker-entrypoint.sh").chmod(0o755)
    key = tmp_path / "keyfile"
    script = entry[-1].replace(KEY_FILE, str(key)).replace("/run/secrets", str(secrets))
    command = [*entry[:-1], script.replace("-o mongodb -g mongodb ", "")]
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    printed = subprocess.run(command, env=path, capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["mongod", "--replSet", "rs0", "--bind_ip_all", "--keyFile", str(key)]
    assert key.stat().st_mode & 0o777 == 0o400

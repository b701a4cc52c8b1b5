"""A process with another secret key or another number of partitions joins no installation on Kafka."""

import asyncio
import base64
from contextlib import suppress

import pytest
from msgspec.structs import replace

from codepark.profiles.admission import admit
from commands.kafka.installation import join
from commands.kafka.settings import KafkaSettings
from commands.key_check import InstallationError
from commands.kms import KmsError
from commands.secrets import Secrets
from tests.support.program import CodeParkProgram
from tests.support.server import free_port

pytestmark = pytest.mark.integration
FIRST, OTHER = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture
def settings(kafka, topic_prefix):
    return KafkaSettings(bootstrap_servers=kafka, prefix=topic_prefix)


def joined(settings, secret=FIRST, *, make=True, before_first=lambda: None):
    asyncio.run(join(settings, Secrets(secret), make=make, before_first=before_first))


def test_the_first_process_decides_which_key_and_how_many_partitions_there_are(settings):
    joined(settings)
    joined(settings)
    joined(settings, make=False)
    with pytest.raises(InstallationError, match="the secret key is not the one of the installation"):
        joined(settings, OTHER)
    with pytest.raises(InstallationError, match=r"CODEPARK_PARTITIONS is 3, and the log .* has 1"):
        joined(replace(settings, partitions=3))


def test_of_processes_that_start_together_with_different_keys_one_is_admitted(settings):
    async def together():
        keys = [Secrets(bytes([number] * 32)) for number in range(4)]
        attempts = [join(settings, key, make=True, before_first=lambda: None) for key in keys]
        return await asyncio.gather(*attempts, return_exceptions=True)

    results = asyncio.run(together())
    assert [type(result) for result in results if result is not None] == [InstallationError] * 3


def test_a_command_that_looks_makes_no_topic(settings):
    for _ in range(2):
        with pytest.raises(InstallationError, match="there is no topic"):
            joined(settings, make=False)


def test_an_installation_from_before_the_check_value_is_known_by_its_wrapped_keys(settings):
    from commands.kafka.protocol.topics import ensure_log

    def refuse():
        raise InstallationError("its keys were wrapped with another key")

    asyncio.run(ensure_log(settings))
    with pytest.raises(InstallationError, match="wrapped with another"):
        joined(settings, OTHER, before_first=refuse)
    joined(settings, FIRST)
    with pytest.raises(InstallationError, match="the secret key is not the one"):
        joined(settings, OTHER)


def test_a_wrapped_key_that_this_process_cannot_unwrap_refuses_it():
    class Connections:
        def one_wrapped(self, version):
            assert version == 1
            return b"wrapped by another"

        def unwrap(self, _wrapped):
            raise KmsError("another key wrapped it")

        keys = kms = property(lambda self: self)

    class Cluster:
        kafka = secret = None

    async def runs_first(_settings, _secret, *, make, before_first):
        assert make
        before_first()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("codepark.profiles.admission.join", runs_first)
        with pytest.raises(InstallationError, match="MongoDB were wrapped with"):
            admit(Cluster(), Connections(), lambda _seconds: True)


def test_a_worker_that_waits_for_its_servers_ends_in_order(tmp_path):
    environment = {
        "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "CODEPARK_MONGODB_URI": "mongodb://127.0.0.1:1/",
        "CODEPARK_REDIS_URL": "redis://127.0.0.1:1/",
        "CODEPARK_SECRET_KEY": base64.b64encode(FIRST).decode(),
    }
    worker = CodeParkProgram("worker", ["worker", "projections"], environment, tmp_path / "output")
    worker.launch()
    try:
        worker.wait_until(lambda: "waiting for it" in (tmp_path / "output").read_text())
        assert worker.stop(30) == 0
    finally:
        worker.kill()


@pytest.mark.parametrize(
    "arguments", [["serve"], ["worker", "projections"], ["events", "export"], ["doctor"]]
)
@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"CODEPARK_SECRET_KEY": base64.b64encode(OTHER).decode()}, "the secret key is not the one"),
        ({"CODEPARK_PARTITIONS": "3"}, "CODEPARK_PARTITIONS is 3, and the log"),
    ],
)
def test_a_process_that_does_not_belong_ends_with_one_sentence(
    settings, tmp_path, arguments, changed, sentence
):
    joined(settings)
    environment = {
        "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "CODEPARK_TOPIC_PREFIX": settings.prefix,
        "CODEPARK_MONGODB_URI": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100",
        "CODEPARK_REDIS_URL": "redis://127.0.0.1:1/",
        "CODEPARK_SECRET_KEY": base64.b64encode(FIRST).decode(),
        "CODEPARK_PORT": str(free_port()),
        "CODEPARK_DATA": str(tmp_path / "data"),
    }
    program = CodeParkProgram("another", arguments, environment | changed, tmp_path / "output")
    program.launch()
    try:
        assert program.ended(60) == 1
    finally:
        with suppress(ProcessLookupError):
            program.kill()
    last = (tmp_path / "output").read_text().splitlines()[-1]
    assert last.startswith("codepark: ")
    assert sentence in last
    assert "Traceback" not in (tmp_path / "output").read_text()

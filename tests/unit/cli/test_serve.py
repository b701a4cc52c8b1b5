"""`codepark serve` and `codepark token`, as far as they go without serving."""

import base64
import json
import socket
import sys
from pathlib import Path

import pytest

from codepark import server
from codepark.cli import serve
from codepark.cli.demo import import_demo
from codepark.cli.greeting import greeting
from codepark.data_directory import DataDirectory
from codepark.settings import Settings
from domain.actor import Role, Tier
from read_api.auth.keys import SigningKeys
from read_api.auth.tokens import Claims, TokenKind, Tokens
from tests.support.embedded import create_project, register, started
from tests.support.server import free_port

CLUSTER = {
    "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "CODEPARK_MONGODB_URI": "mongodb://127.0.0.1:1/",
    "CODEPARK_REDIS_URL": "redis://127.0.0.1:1/",
    "CODEPARK_SECRET_KEY": base64.b64encode(bytes(range(32))).decode(),
}


def claims(data: Path, text: str) -> Claims:
    """Return what a token says, as a server of the directory reads it."""
    return Tokens(SigningKeys(DataDirectory(data).secrets())).read(text, TokenKind.ACCESS)


class TestServe:
    @pytest.fixture
    def served(self, monkeypatch):
        """What would be served."""
        calls = []

        def serving(settings, started, announce):
            announce()
            calls.append((settings, started))

        monkeypatch.setattr(server, "serve", serving)
        return calls

    def test_a_terminal_is_told_what_to_open_and_that_the_demonstration_is_imported(
        self, run, data, served, monkeypatch
    ):
        port = free_port()
        lines = run("serve", "--port", port, "--data", data, "--demo").errors.splitlines()
        assert [json.loads(line)["event"] for line in lines] == ["stopped"], "a program reads JSON lines"
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        told = run("serve", "--port", port, "--data", data, "--demo").errors
        url = f"http://127.0.0.1:{port}"
        assert all(
            text in told for text in (url, f"{url}/docs", f"{url}/graphql", "is being imported", "Ctrl-C")
        )
        assert "is being imported" not in run("serve", "--port", port, "--data", data).errors

    def test_the_page_to_open_is_one_that_this_machine_can_open(self, data):
        everywhere = Settings(data=data, host="0.0.0.0", port=3000)  # noqa: S104 # what a person sets
        assert "http://127.0.0.1:3000/docs" in greeting(everywhere, demo=False)
        public = Settings(data=data, public_url="https://code.example.org")
        assert "https://code.example.org/docs" in greeting(public, demo=False)

    @pytest.mark.parametrize(
        ("host", "reason"),
        [("127.0.0.1", "in use"), ("192.0.2.1", "assign"), ("nowhere.invalid", "not known")],
    )
    def test_an_address_for_nodes_that_cannot_be_had_is_refused_before_anything_starts(
        self, run, data, served, monkeypatch, host, reason
    ):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            node_port = taken.getsockname()[1]
            for name, value in {**CLUSTER, "CODEPARK_NODE_ADDRESS": f"{host}:{node_port}"}.items():
                monkeypatch.setenv(name, value)
            ended = run("serve", "--port", free_port(), "--data", data)
        assert ended.status == 1
        assert ended.sentence.startswith(f"cannot listen on {host}:{node_port} (")
        assert "another CODEPARK_NODE_ADDRESS" in ended.sentence
        assert (served, data.exists()) == ([], False)

    def test_each_of_several_workers_needs_an_address_for_nodes_of_its_own(self, run, data, monkeypatch):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            second = taken.getsockname()[1]
            for name, value in {**CLUSTER, "CODEPARK_NODE_ADDRESS": f"127.0.0.1:{second - 1}"}.items():
                monkeypatch.setenv(name, value)
            ended = run("serve", "--workers", 2, "--port", free_port(), "--data", data)
        assert "cannot listen on 127.0.0.1:" in ended.sentence

    def test_the_options_reach_the_server(self, run, data, served):
        port = free_port()
        assert run("serve", "--port", port, "--data", data, "--demo").status == 0
        ((settings, started),) = served
        assert (settings.port, settings.data, started) == (port, data, import_demo)

    def test_without_a_demonstration_nothing_is_imported(self, run, data, served):
        assert run("serve", "--port", free_port(), "--data", data).status == 0
        assert [started for _, started in served] == [None]

    def test_the_settings_are_those_of_the_environment(self, run, data, served, monkeypatch):
        monkeypatch.setenv("CODEPARK_PORT", str(free_port()))
        monkeypatch.setenv("CODEPARK_DATA", str(data))
        assert run("serve").status == 0
        assert [settings.data for settings, _ in served] == [data]

    def test_a_port_that_is_taken_is_refused(self, run, data, served):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            ended = run("serve", "--port", port, "--data", data)
        assert ended.sentence.startswith(f"cannot listen on 127.0.0.1:{port}")
        assert "choose another with --port" in ended.sentence
        assert served == []

    def test_a_port_that_processes_share_is_not_tried(self, run, data, served):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert run("serve", "--port", port, "--data", data, "--processes", data).status == 0
        assert [settings.processes for settings, _ in served] == [data]

    @pytest.mark.parametrize(
        ("option", "value", "sentence"),
        [
            ("--port", 70_000, "--port is 70000; it takes a number from 1 to 65535"),
            ("--workers", 0, "--workers is 0; it takes a number from 1"),
            ("--workers", 2, "--workers takes more than 1 in the cluster profile only"),
        ],
    )
    def test_a_number_that_cannot_be_used(self, run, data, served, option, value, sentence):
        arguments = ["serve", option, value, "--data", data]
        if option != "--port":
            arguments += ["--port", free_port()]
        assert run(*arguments).sentence.startswith(sentence)
        assert served == []

    def test_several_workers_end_with_their_status(self, run, data, monkeypatch):
        class Processes:
            def __init__(self, _settings, count):
                assert count == 3

            def serve(self):
                return 1

        monkeypatch.setattr(serve, "ServerProcesses", Processes)
        assert run("serve", "--workers", 3, "--port", free_port(), "--data", data).status == 1


class TestToken:
    def test_it_acts_for_the_service_without_an_account(self, run, data, installation):
        access = claims(data, run("token", "--data", data).output.strip())
        assert access.subject == "service:cli"

    def test_role_and_tier_are_those_that_are_named(self, run, data, installation):
        ended = run("token", "--role", "auditor", "--tier", "free", "--data", data)
        access = claims(data, ended.output.strip())
        assert (access.roles, access.tier) == (frozenset({Role.AUDITOR}), Tier.FREE)

    def test_an_account_has_its_own_roles(self, run, data):
        with started(data) as profile:
            account = register(profile)
            ended = run(
                "token", "--account", "ada@example.org", "--data", data
            )  # while a process holds the directory
        access = claims(data, ended.output.strip())
        assert (access.subject, access.roles) == (account, frozenset({Role.USER}))
        assert access.operated_by == "service:cli"

    def test_a_token_names_who_uses_it_for_an_account(self, run, data):
        with started(data) as profile:
            ada, bob = register(profile), register(profile, "grace")
        options = ("--account", "ada@example.org", "--by", "grace@example.org", "--data", data)
        access = claims(data, run("token", *options).output.strip())
        assert (access.subject, access.operated_by) == (ada, bob)
        ended = run("token", "--by", "nobody@example.org", "--data", data)
        assert ended.sentence == "there is no account with the address nobody@example.org"

    def test_the_roles_of_an_account_are_its_latest(self, run, data):
        with started(data) as profile:
            register(profile)
        run("account", "set", "ada@example.org", "--role", "admin", "--data", data)
        access = claims(data, run("token", "--account", "ada@example.org", "--data", data).output.strip())
        assert access.roles == frozenset({Role.ADMIN})

    def test_an_unknown_account_is_refused(self, run, data, installation):
        sentence = "there is no account with the address eve@example.org"
        assert run("token", "--account", "eve@example.org", "--data", data).sentence == sentence
        with started(data) as profile:
            create_project(profile)
        assert run("token", "--account", "eve@example.org", "--data", data).sentence == sentence

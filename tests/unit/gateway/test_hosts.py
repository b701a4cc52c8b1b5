"""Which hosts a server answers for."""

import pytest

from codepark.settings import read_settings
from commands.environment import SettingsError
from read_api.gateway.hosts import Hosts

EVERYWHERE = "0.0.0.0"  # noqa: S104 # a setting, nothing listens


def hosts(**settings):
    gateway = read_settings({f"CODEPARK_{name}": value for name, value in settings.items()}).gateway
    return Hosts(gateway.allowed_hosts)


def scope(*names, path="/api/v1/projects"):
    return {"path": path, "headers": [(b"host", name.encode("latin-1")) for name in names]}


OWN = ["127.0.0.1", "127.0.0.1:3000", "localhost:3000", "LocalHost", "localhost.", "[::1]:3000", "[0:0::1]"]
FOREIGN = [
    "evil.example",
    "evil.example:3000",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.localhost",
    "localhost@evil.example",
    "203.0.113.9",
    EVERYWHERE,
    "[::ffff:7f00:1]x",
    "127.1",
    "2130706433",
    "",
    "[::1",
    "localhost:3000:1",
    "localhost/../x",
    "l\xf6calhost",
]


@pytest.mark.parametrize("name", OWN)
def test_a_server_of_one_machine_answers_under_the_names_of_that_machine(name):
    assert hosts().allow(scope(name))
    assert hosts(HOST="localhost").allow(scope(name))


@pytest.mark.parametrize("name", FOREIGN)
def test_a_server_of_one_machine_refuses_every_other_name(name):
    assert not hosts().allow(scope(name))
    assert not hosts(HOST="::1").allow(scope("localhost", name))


def test_a_client_without_a_host_is_no_browser():
    assert hosts().allow(scope())


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_probes_ask_under_any_name(path):
    assert hosts().allow(scope("10.0.0.7:3000", path=path))
    assert not hosts().allow(scope("10.0.0.7:3000", path=f"{path}/../metrics"))


def test_the_public_url_and_the_setting_add_names():
    both = hosts(
        PUBLIC_URL="https://Park.example.org:8443/x", ALLOWED_HOSTS="a.example, 10.0.0.7,2001:db8::7"
    )
    for name in ("park.example.org", "A.example:80", "10.0.0.7:3000", "[2001:DB8:0::7]", "localhost"):
        assert both.allow(scope(name))
    assert not both.allow(scope("b.a.example"))


def test_a_server_for_others_accepts_every_name_until_some_are_listed():
    assert hosts(HOST=EVERYWHERE).allow(scope("any.example"))
    assert hosts(HOST=EVERYWHERE, PUBLIC_URL="https://park.example").allow(scope("any.example"))
    assert hosts(ALLOWED_HOSTS="*").allow(scope("any.example"))
    listed = hosts(HOST=EVERYWHERE, ALLOWED_HOSTS="park.example")
    assert listed.allow(scope("park.example"))
    assert not listed.allow(scope("any.example"))


@pytest.mark.parametrize("text", ["https://park.example", "park.example:80", "park example", "*.example"])
def test_a_host_has_no_scheme_and_no_port(text):
    with pytest.raises(SettingsError, match="CODEPARK_ALLOWED_HOSTS"):
        hosts(ALLOWED_HOSTS=text)

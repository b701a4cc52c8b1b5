"""TLS between nodes: three files, or none; each is looked at when the process starts."""

import ssl

import pytest

from codepark.node_tls import client_context, read_node_tls
from commands.environment import Environment, SettingsError
from devservers.certificates import make_certificates

NAMES = ("CODEPARK_NODE_TLS_CERT_FILE", "CODEPARK_NODE_TLS_KEY_FILE", "CODEPARK_NODE_TLS_CA_FILE")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    made = make_certificates(tmp_path_factory.mktemp("certificates"))
    return dict(zip(NAMES, map(str, (made.certificate, made.key, made.authority)), strict=True))


def test_all_three_files_turn_it_on(files):
    tls = read_node_tls(Environment(files))
    context = client_context(tls)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_without_files_nodes_speak_http():
    assert read_node_tls(Environment({})) is None
    assert client_context(None) is None


@pytest.mark.parametrize("missing", NAMES)
def test_a_part_of_them_stops_the_start(files, missing):
    given = {name: value for name, value in files.items() if name != missing}
    with pytest.raises(SettingsError, match="CODEPARK_NODE_TLS_"):
        read_node_tls(Environment(given))


@pytest.mark.parametrize("wrong", NAMES)
def test_a_wrong_file_stops_the_start(files, wrong, tmp_path):
    (tmp_path / "text").write_text("no certificate")
    with pytest.raises(SettingsError, match=wrong):
        read_node_tls(Environment(files | {wrong: str(tmp_path / "text")}))
